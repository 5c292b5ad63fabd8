-- Values of the shared dictionaries, read to where we want them: ngx.shared makes Lua strings of key and value, and of a
-- page that few ask for they are garbage at once. The call is lua-resty-core's.
require("resty.core.shdict")
local ffi = require("ffi")
local C = ffi.C

pcall(ffi.cdef, "void free(void *given);")

local NUMBER, STRING = 3, 4 -- lua.h: LUA_TNUMBER, LUA_TSTRING

local _M = {}

local kind, flags, is_stale = ffi.new("int[1]"), ffi.new("int[1]"), ffi.new("int[1]")
local text, bytes = ffi.new("unsigned char *[1]"), ffi.new("size_t[1]")
local number, problem = ffi.new("double[1]"), ffi.new("char *[1]")

-- A dictionary as those below want it.
function _M.zone(dictionary)
  return C.ngx_http_lua_ffi_shdict_udata_to_zone(dictionary[1])
end

-- Whether the key of `key_bytes` bytes at `key` has a value of that kind.
local function has(zone, key, key_bytes, wanted)
  local code = C.ngx_http_lua_ffi_shdict_get(zone, key, key_bytes, kind, text, bytes, number, flags, 0, is_stale, problem)
  return code == 0 and kind[0] == wanted
end

-- Copy the string that stands under the key to `room`; how many bytes it has, nil when it is not there or has more than
-- `most`.
function _M.read(zone, key, key_bytes, room, most)
  text[0], bytes[0] = room, most
  local found = has(zone, key, key_bytes, STRING)
  if text[0] ~= room then
    -- It was too long for the room, and got memory of its own.
    C.free(text[0])
    return nil
  end
  if found then return tonumber(bytes[0]) end
end

-- The number that stands under the key; nil.
function _M.number(zone, key, key_bytes)
  text[0], bytes[0] = nil, 0
  if has(zone, key, key_bytes, NUMBER) then return number[0] end
end

return _M

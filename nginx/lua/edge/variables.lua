-- Variables of the request, read and set where they are: ngx.var makes a Lua string of each value that it reads, and
-- LuaJIT keeps equal strings once, found by a hash that looks at some 16 bytes. Requests for the pages of products differ
-- in others, so it would compare each with a thousand before it. Source: lj_str.c; the calls are lua-resty-core's.
local base = require("resty.core.base")
local ffi = require("ffi")
local C, get_request = ffi.C, base.get_request

pcall(ffi.cdef, "unsigned int ngx_murmur_hash2(const unsigned char *data, size_t len);")
pcall(ffi.cdef, "int memcmp(const void *one, const void *other, size_t len);")

local _M = {}

local value, length, problem = ffi.new("unsigned char *[1]"), ffi.new("size_t[1]"), ffi.new("char *[1]")
local PROBLEM_BYTES = 256
local lowered, said = ffi.new("unsigned char[64]"), ffi.new("unsigned char[?]", PROBLEM_BYTES)

-- Where the value of a variable begins, and how many bytes it has. Valid until the request ends.
function _M.at(name)
  local code = C.ngx_http_lua_ffi_var_get(get_request(), name, #name, lowered, 0, value, length, problem)
  if code ~= 0 then return value[0], 0 end
  return value[0], tonumber(length[0])
end

-- `text`: a string. The name has at most 64 bytes and was declared.
function _M.set(name, text)
  length[0] = PROBLEM_BYTES
  local code = C.ngx_http_lua_ffi_var_set(get_request(), name, #name, lowered, text, #text, said, length)
  if code ~= 0 then error(ffi.string(said, length[0])) end
end

-- A number of 32 bits of `bytes` bytes at `at`, or of as long a string; it depends on all of them.
function _M.hash(at, bytes)
  return tonumber(C.ngx_murmur_hash2(at, bytes))
end

-- Whether the bytes are those of `text` behind its first `skipped`.
function _M.is(at, bytes, text, skipped)
  return bytes == #text - skipped and C.memcmp(at, ffi.cast("const char *", text) + skipped, bytes) == 0
end

return _M

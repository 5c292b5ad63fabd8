-- Variables of the request, read and set where they are: ngx.var makes a Lua string of each value that it reads, and
-- LuaJIT keeps equal strings once, found by a hash that looks at some 16 bytes. Requests for the pages of products differ
-- in others, so it would compare each with a thousand before it. Source: lj_str.c; the calls are lua-resty-core's.
local base = require("resty.core.base")
local ffi = require("ffi")
local C, get_request = ffi.C, base.get_request

pcall(ffi.cdef, "unsigned int ngx_murmur_hash2(const unsigned char *data, size_t len);")
pcall(ffi.cdef, "int memcmp(const void *one, const void *other, size_t len);")
-- `bits` are the length, 28 of them, then whether the value is valid, must be asked for anew, is not there, was escaped:
-- LuaJIT compiles no bit fields. Source: ngx_variable_value_t in nginx's ngx_string.h, ngx_http_variables.h, ngx_hash.h.
ffi.cdef([[
typedef struct { unsigned int bits; const unsigned char *data; } edge_value;
edge_value *ngx_http_get_variable(ngx_http_request_t *r, ngx_str_t *name, uintptr_t key);
uintptr_t ngx_hash_key(const unsigned char *data, size_t len);
]])
local VALID = 2 ^ 28

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

-- Give a variable a copy of the `bytes` bytes at `at`, or of so long a string. The name has at most 64 bytes and was
-- declared with `set`.
local function set(name, at, bytes)
  length[0] = PROBLEM_BYTES
  local code = C.ngx_http_lua_ffi_var_set(get_request(), name, #name, lowered, at, bytes, said, length)
  if code ~= 0 then error(ffi.string(said, length[0])) end
end
_M.set = set

-- A name as nginx looks for it.
local asked = setmetatable({}, {
  __index = function(all, name)
    local of_nginx = { name = ffi.new("ngx_str_t", #name, ffi.cast("unsigned char *", name)), hash = C.ngx_hash_key(name, #name) }
    all[name] = of_nginx
    return of_nginx
  end,
})

-- The value itself, which nginx reads.
local function value_of(name)
  local of_nginx = asked[name]
  return C.ngx_http_get_variable(get_request(), of_nginx.name, of_nginx.hash)
end

-- Whether values of this nginx look as is said above: found out with the first request's.
function _M.values_are_known()
  set("edge_etag", "known", 5)
  local found = value_of("edge_etag")
  return found ~= nil and found.bits == VALID + 5 and ffi.string(found.data, 5) == "known"
end
local known

-- Give a variable those bytes as they are, without a copy. They must stay where they are until nginx has read the variable.
function _M.lend(name, at, bytes)
  if known == nil then known = _M.values_are_known() end
  local found = known and value_of(name) or nil
  if found == nil then return set(name, at, bytes) end
  found.bits = VALID + bytes
  found.data = at
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

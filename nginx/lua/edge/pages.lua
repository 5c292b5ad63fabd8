-- The pages that are kept, in the dictionary that all workers share.
--
--   m<coding> <canonical key>   what is known of a page: a line a field, see `packed`
--   x<hash><exact request>      the same, under the request as it came, so that a hit builds no canonical key
--   b<id>                       a page's body; a fill makes a new one, so no page has the body of another fill
--
-- Bounded by EDGE_CACHE_MIB; the least recently used goes first. A page whose body went is not there.
local bit = require("bit")
local ffi = require("ffi")
local clock = require("edge.clock")
local numbers = require("edge.numbers")
local variables = require("edge.variables")
local dictionary, control = ngx.shared.pages, ngx.shared.control
local find, sub, concat = string.find, string.sub, table.concat
local now = clock.now

local _M = {}

-- A page: id, etag (with quotes), created and ends (by edge/clock.lua), media type, coding, operation, the tags that it
-- shows, and the number that each had.
local function packed(page)
  local lines = { page.id, page.etag, page.created, page.ends, page.media, page.coding, page.operation }
  for i = 1, #page.tags do
    lines[#lines + 1] = page.tags[i]
    lines[#lines + 1] = page.noted[i]
  end
  return concat(lines, "\n") .. "\n"
end

local function unpacked(text)
  local fields, count, from = {}, 0, 1
  while true do
    local at = find(text, "\n", from, true)
    if not at then break end
    count = count + 1
    fields[count] = sub(text, from, at - 1)
    from = at + 1
  end
  local tags, noted, shown = {}, {}, 0
  for i = 8, count, 2 do
    shown = shown + 1
    tags[shown], noted[shown] = fields[i], tonumber(fields[i + 1])
  end
  return {
    id = fields[1],
    etag = fields[2],
    created = tonumber(fields[3]),
    ends = tonumber(fields[4]),
    media = fields[5],
    coding = fields[6],
    operation = fields[7],
    tags = tags,
    noted = noted,
  }
end

-- Whether `page` may be shown now. The caller has seen that the channel is live, before this.
function _M.holds(page)
  return page.ends > now() and numbers.unchanged(page.tags, page.noted)
end

local function found(key)
  local text = dictionary:get(key)
  return text and unpacked(text)
end

-- The key of an exact request of `bytes` bytes at `at`, whose hash is `hashed`. Three bytes of that stand in front, where
-- LuaJIT looks: see edge/variables.lua. As many bytes as EXACT are no part of the request.
_M.EXACT, _M.LONGEST = 4, 32768
local key = ffi.new("unsigned char[?]", _M.EXACT + _M.LONGEST)
key[0] = ("x"):byte()
function _M.exact_key(at, bytes, hashed)
  key[1], key[2], key[3] = bit.band(hashed, 255), bit.band(bit.rshift(hashed, 8), 255), bit.band(bit.rshift(hashed, 16), 255)
  ffi.copy(key + _M.EXACT, at, bytes)
  return ffi.string(key, _M.EXACT + bytes)
end

-- What the request of that key was answered with, fresh or not, without its body; nil.
function _M.by_exact(exact)
  return found(exact)
end

-- The page of a canonical key in a coding, fresh or not, without its body; nil.
function _M.by_key(key, coding)
  return found("m" .. coding .. " " .. key)
end

-- The body of a page; nil when it was pushed out.
function _M.body(page)
  return dictionary:get("b" .. page.id)
end

-- Keep a page under its canonical key for `seconds`. Gives the page its id.
function _M.keep(key, page, body, seconds)
  page.id = tostring(control:incr("ids", 1, 0))
  -- The body first: whoever finds the page finds its body.
  dictionary:set("b" .. page.id, body, seconds)
  dictionary:set("m" .. page.coding .. " " .. key, packed(page), seconds)
end

-- Let an exact request find the page.
function _M.alias(exact, page, seconds)
  if #exact > _M.LONGEST then return end
  dictionary:set(_M.exact_key(exact, #exact, variables.hash(exact, #exact)), packed(page), seconds)
end

return _M

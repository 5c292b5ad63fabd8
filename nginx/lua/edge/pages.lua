-- The pages that are kept, in the dictionary that all workers share.
--
--   m<coding> <canonical key>   what is known of a page: see `packed`
--   x<hash><exact request>      the same, under the request as it came, so that a hit builds no canonical key
--   b<id>                       a page's body; a fill makes a new one, so no page has the body of another fill
--
-- Bounded by EDGE_CACHE_MIB; the least recently used goes first. A page whose body went is not there.
local bit = require("bit")
local ffi = require("ffi")
local clock = require("edge.clock")
local numbers = require("edge.numbers")
local shared = require("edge.shared")
local variables = require("edge.variables")
local dictionary, control = ngx.shared.pages, ngx.shared.control
local zone, read = shared.zone(dictionary), shared.read
local cast, concat = ffi.cast, table.concat
local now = clock.now

local _M = {}

-- A page: body_key (what its body is found by), etag (with quotes), created and ends (by edge/clock.lua), media type,
-- coding, operation, the tags that it shows, and the number that each had. Packed it is one edge_page, which says how long
-- the texts are that follow it in its order, and then an edge_tag and a text for each tag.
ffi.cdef([[
typedef struct { double created, ends; unsigned short body_key, etag, operation, media, coding, tags; } edge_page;
typedef struct { double noted; unsigned short bytes; } edge_tag;
]])
local PAGE, TAG = ffi.sizeof("edge_page"), ffi.sizeof("edge_tag")
local pages, tags_of = ffi.typeof("const edge_page *"), ffi.typeof("const edge_tag *")
local bytes_of = ffi.typeof("const unsigned char *")

local function packed(page)
  local texts = { page.body_key, page.etag, page.operation, page.media, page.coding }
  local sizes = {}
  for i, text in ipairs(texts) do sizes[i] = #text end
  local head = ffi.new("edge_page", page.created, page.ends, sizes[1], sizes[2], sizes[3], sizes[4], sizes[5], #page.tags)
  local parts = { ffi.string(head, PAGE), concat(texts) }
  for i, tag in ipairs(page.tags) do
    parts[#parts + 1] = ffi.string(ffi.new("edge_tag", page.noted[i], #tag), TAG)
    parts[#parts + 1] = tag
  end
  return concat(parts)
end

-- Where the texts of a packed page begin, and its tags.
local function places(page)
  local body_key = cast(bytes_of, page) + PAGE
  local etag = body_key + page.body_key
  local operation = etag + page.etag
  local media = operation + page.operation
  return body_key, etag, operation, media, media + page.media + page.coding
end
_M.places = places

-- The page as a table; without its body.
local function unpacked(page)
  local body_key, etag, operation, media, at = places(page)
  local tags, noted = {}, {}
  for i = 1, page.tags do
    local tag = cast(tags_of, at)
    tags[i], noted[i] = ffi.string(at + TAG, tag.bytes), tag.noted
    at = at + TAG + tag.bytes
  end
  return {
    body_key = ffi.string(body_key, page.body_key),
    etag = ffi.string(etag, page.etag),
    created = page.created,
    ends = page.ends,
    media = ffi.string(media, page.media),
    coding = ffi.string(media + page.media, page.coding),
    operation = ffi.string(operation, page.operation),
    tags = tags,
    noted = noted,
  }
end
_M.unpacked = unpacked

-- Whether `page` may be shown now. The caller has seen that the channel is live, before this.
function _M.holds(page)
  return page.ends > now() and numbers.unchanged(page.tags, page.noted)
end

-- Whether the tag of a packed page at `at` has its number still; and where the next one is.
local function tag_holds(at)
  local tag = cast(tags_of, at)
  return numbers.number_at(at + TAG, tag.bytes) == tag.noted, at + TAG + tag.bytes
end

local function rest_holds(at, count)
  local holds = true
  while holds and count > 0 do
    holds, at = tag_holds(at)
    count = count - 1
  end
  return holds
end

-- The same of the `count` tags of a packed page, which begin at `at`. Those of a product's page are a product and the tag
-- that every page has, and LuaJIT compiles what has a loop in it apart from what comes before and behind.
function _M.tags_hold(at, count)
  local holds
  holds, at = tag_holds(at)
  if not holds or count == 1 then return holds end
  holds, at = tag_holds(at)
  if not holds or count == 2 then return holds end
  return rest_holds(at, count - 2)
end

-- The key of an exact request of `bytes` bytes at `at`, whose hash is `hashed`: where it stands until the next one, and
-- its length. Three bytes of the hash stand in front, where LuaJIT looks: see edge/variables.lua. As many bytes as EXACT
-- are no part of the request.
_M.EXACT, _M.LONGEST = 4, 32768
local key = ffi.new("unsigned char[?]", _M.EXACT + _M.LONGEST)
key[0] = ("x"):byte()
local function exact_key(at, bytes, hashed)
  key[1], key[2], key[3] = bit.band(hashed, 255), bit.band(bit.rshift(hashed, 8), 255), bit.band(bit.rshift(hashed, 16), 255)
  ffi.copy(key + _M.EXACT, at, bytes)
  return key, _M.EXACT + bytes
end
_M.exact_key = exact_key

-- What is known of a page under a key of the dictionary, fresh or not: it stands packed until the next look; nil.
local PAGE_ROOM, BODY_ROOM = 32768, 2 ^ 20
local page_room, body_room = ffi.new("unsigned char[?]", PAGE_ROOM), ffi.new("unsigned char[?]", BODY_ROOM)
local function look(at, bytes)
  if read(zone, at, bytes, page_room, PAGE_ROOM) then return cast(pages, page_room) end
end
_M.look = look

-- The body under that key, which stays until the next look, and its length; nil when it was pushed out, or is a large one.
function _M.look_at_body(at, bytes)
  local length = read(zone, at, bytes, body_room, BODY_ROOM)
  if length then return body_room, length end
end

-- The page of a canonical key in a coding, fresh or not, without its body; nil.
function _M.by_key(key, coding)
  local known = "m" .. coding .. " " .. key
  local page = look(known, #known)
  return page and unpacked(page)
end

-- The body of a page; nil when it was pushed out.
function _M.body(page)
  return dictionary:get(page.body_key)
end

-- Keep a page under its canonical key for `seconds`. Gives the page the key of its body.
function _M.keep(key, page, body, seconds)
  page.body_key = "b" .. control:incr("ids", 1, 0)
  -- The body first: whoever finds the page finds its body.
  dictionary:set(page.body_key, body, seconds)
  dictionary:set("m" .. page.coding .. " " .. key, packed(page), seconds)
end

-- Let an exact request find the page.
function _M.alias(exact, page, seconds)
  if #exact > _M.LONGEST then return end
  dictionary:set(ffi.string(exact_key(exact, #exact, variables.hash(exact, #exact))), packed(page), seconds)
end

return _M

-- The fast way: a request whose answer is kept, without leaving the phase in which nginx sets variables.
--
-- Nothing here may use string.match or anything else that LuaJIT does not compile: it would cost more than the rest.
local bit = require("bit")
local ffi = require("ffi")
local lrucache = require("resty.lrucache")
local counts = require("edge.counts")
local numbers = require("edge.numbers")
local pages = require("edge.pages")
local variables = require("edge.variables")
local at, set, lend, hash, is = variables.at, variables.set, variables.lend, variables.hash, variables.is
local band, find, floor, max, tostring = bit.band, string.find, math.floor, math.max, tostring

local GRAPHQL_JSON = "application/graphql-response+json"
local G = ("g"):byte()

local _M = {}

-- How many copies a worker keeps: 24 for each MiB of the cache, with pages of 5 KB an eighth of it. Three quarters of a
-- power of two: as many keys as a power of two fill a Lua table to its last place, and each exchange of one builds it anew.
-- With 8,192 a worker answered 16,000 hits a second of 20,000 pages by Zipf's law, with 6,000 it answered 65,000.
local function copies(cache_bytes)
  local count = 3
  while 2 * count <= 24 * cache_bytes / 2 ^ 20 do count = 2 * count end
  return count
end
_M.COPIES = copies(ngx.shared.pages:capacity())

-- This worker's copies. Key: a hash of the exact request; the copy has all of it, to compare. Bound: so many pages, none
-- larger than LARGEST. Emptied by use alone: a copy is compared with the numbers each time, and gone over when its page
-- has changed.
local kept = lrucache.new(_M.COPIES)
local LARGEST = 16384

-- A page is copied when it is asked for again. Most pages outside the copies are asked for once in a long time, and a copy
-- of one, made and thrown away, costs more than the look at the dictionary. Here the hash of the last request stands for
-- each slot, of which there are some more than copies.
local slots = 4
while slots < _M.COPIES do slots = 2 * slots end
local last_asked = ffi.new("unsigned int[?]", slots)
local function was_asked(hashed)
  local slot = band(hashed, slots - 1)
  local again = last_asked[slot] == hashed
  last_asked[slot] = hashed
  return again
end

-- What nginx was lent, until the next request is looked at. By then it has read all of it: between this and the answer's
-- header and body nothing waits, and only the log is written later.
local lent, lent_age

-- HIT: the variables edge_body, edge_etag, edge_age and edge_operation are the answer. SAME: the client has it.
local function answer(etag, etag_bytes, age, operation, operation_bytes, body, body_bytes)
  lent_age = age
  lend("edge_etag", etag, etag_bytes)
  lend("edge_age", age, #age)
  -- For the log: a client may take its time with the answer.
  set("edge_operation", operation, operation_bytes)
  local conditions, bytes = at("http_if_none_match")
  if bytes > 0 then
    local known = ffi.string(conditions, bytes)
    if known == "*" or find(known, ffi.string(etag, etag_bytes), 1, true) then
      counts.same = counts.same + 1
      return "SAME"
    end
  end
  lend("edge_body", body, body_bytes)
  counts.hit = counts.hit + 1
  return "HIT"
end

-- It may have been made after we looked at the clock.
local function age_of(page, now) return max(0, floor(now - page.created)) end

-- The location's own content type is the answer's: one that negotiated otherwise goes the long way.
local function fits(is_graphql_json, exact) return is_graphql_json == (exact[0] == G) end

-- The answer out of the dictionary. `hot`: it is worth a copy.
local function from_dictionary(exact, length, hashed, live, now, hot)
  local key, key_bytes = pages.exact_key(exact, length, hashed)
  local page = pages.look(key, key_bytes)
  if page == nil or page.ends <= now then return "" end
  local body_key, etag, operation, media, tags = pages.places(page)
  if not fits(is(media, page.media, GRAPHQL_JSON, 0), exact) or not pages.tags_hold(tags, page.tags) then return "" end
  local body, bytes = pages.look_at_body(body_key, page.body_key)
  if not body then return "" end
  if (was_asked(hashed) or hot) and bytes <= LARGEST then
    local copy = pages.unpacked(page)
    copy.key, copy.body, copy.live = ffi.string(key, key_bytes), ffi.string(body, bytes), live
    copy.is_graphql_json = copy.media == GRAPHQL_JSON
    kept:set(hashed, copy)
  end
  return answer(etag, page.etag, tostring(age_of(page, now)), operation, page.operation, body, bytes)
end

-- HIT or SAME, as `answer` says. Empty: the request goes on.
function _M.look()
  local exact, length = at("edge_exact")
  if length == 0 or length > pages.LONGEST then return "" end
  -- Before the tags' numbers: see edge/numbers.lua.
  local live, now = numbers.live()
  if not live then return "" end
  local hashed = hash(exact, length)
  local page = kept:get(hashed)
  if not page or not is(exact, length, page.key, pages.EXACT) then
    return from_dictionary(exact, length, hashed, live, now, false)
  end
  if page.live ~= live then
    if not pages.holds(page) then return from_dictionary(exact, length, hashed, live, now, true) end
    page.live = live
  end
  if page.ends <= now or not fits(page.is_graphql_json, exact) then return "" end
  local age = age_of(page, now)
  if page.told ~= age then
    page.told, page.age = age, tostring(age)
  end
  lent = page
  return answer(page.etag, #page.etag, page.age, page.operation, #page.operation, page.body, #page.body)
end

return _M

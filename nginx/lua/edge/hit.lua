-- The fast way: a request whose answer is kept, without leaving the phase in which nginx sets variables.
--
-- Nothing here may use string.match or anything else that LuaJIT does not compile: it would cost more than the rest.
local lrucache = require("resty.lrucache")
local counts = require("edge.counts")
local numbers = require("edge.numbers")
local options = require("edge.options")
local pages = require("edge.pages")
local control = ngx.shared.control
local find, byte = string.find, string.byte
local time, var = ngx.time, ngx.var

local GRAPHQL_JSON = "application/graphql-response+json"
local G = byte("g")

local _M = {}

-- This worker's copies. Key: the exact request. Bound: so many pages, none larger than LARGEST. Emptied by use alone: a
-- copy is compared with the numbers each time, and gone over when its page has changed.
local kept = lrucache.new(options.worker_pages)
local LARGEST = 16384

local function from_dictionary(exact)
  local page = pages.by_exact(exact)
  if not page or not pages.holds(page) then return nil end
  page.body = pages.body(page)
  if not page.body then return nil end
  if #page.body <= LARGEST then kept:set(exact, page) end
  return page
end

-- HIT: the variables edge_body, edge_etag, edge_age and edge_operation are the answer. SAME: the client has it.
-- Empty: the request goes on.
function _M.look()
  local exact = var.edge_exact
  if exact == "" then return "" end
  -- Before the tags' numbers: see edge/numbers.lua.
  local live = control:get("live")
  if not live then return "" end
  local page = kept:get(exact)
  if not page then
    page = from_dictionary(exact)
    if not page then return "" end
    page.live = live
  elseif page.live ~= live then
    if not pages.holds(page) then
      page = from_dictionary(exact)
      if not page then return "" end
    end
    page.live = live
  end
  local now = time()
  if page.ends <= now then return "" end
  -- The location's own content type is the answer's: one that negotiated otherwise goes the long way.
  if (page.media == GRAPHQL_JSON) ~= (byte(exact) == G) then return "" end
  var.edge_etag = page.etag
  var.edge_age = now - page.created
  var.edge_operation = page.operation
  local known = var.http_if_none_match
  if known and (known == "*" or find(known, page.etag, 1, true)) then
    counts.same = counts.same + 1
    return "SAME"
  end
  var.edge_body = page.body
  counts.hit = counts.hit + 1
  return "HIT"
end

return _M

-- The long way: a request whose answer this worker does not have at hand. Served from the shared dictionary, or filled
-- by a replica, or waited for, or passed on.
local clock = require("edge.clock")
local compress = require("edge.compress")
local counts = require("edge.counts")
local durations = require("edge.durations")
local flight = require("edge.flight")
local keys = require("edge.keys")
local numbers = require("edge.numbers")
local options = require("edge.options")
local pages = require("edge.pages")
local peers = require("edge.peers")
local refusal = require("edge.refusal")
local variables = require("edge.variables")

local MAX_TAGS, MAX_TAG_BYTES = 400, 8000
-- Longer than a page lives, the numbers of tags are not kept: see edge/numbers.lua.
local MAX_SECONDS = numbers.PAGE_SECONDS
-- How often a request waits for another's fill before it asks for itself.
local WAITS = 3
-- How often it is asked again where a replica ended in the middle of an answer.
local TRIES = 3

local _M = {}

-- Between the replica's answer and the client: what concerns one connection, what concerns the edge alone, and what
-- nginx says itself.
local DROPPED = {
  ["connection"] = true,
  ["keep-alive"] = true,
  ["transfer-encoding"] = true,
  ["content-length"] = true,
  ["content-type"] = true,
  ["date"] = true,
  ["server"] = true,
  ["vary"] = true,
  ["access-control-allow-origin"] = true,
  ["access-control-expose-headers"] = true,
  ["cache-tag"] = true,
  ["edge-max-age"] = true,
  ["changed"] = true,
}

local function headers_of(answer)
  -- A replica writes the names in lower case, and the table that a capture gives tells case apart.
  local headers = {}
  for name, value in pairs(answer.header) do headers[name:lower()] = value end
  return headers
end

-- The tags of an answer that may be kept, and for how many seconds; nil for any other.
local function keepable(answer, headers)
  local named, seconds = headers["cache-tag"], tonumber(headers["edge-max-age"])
  if answer.status ~= 200 or answer.truncated or not seconds or seconds <= 0 then return nil end
  if type(named) ~= "string" or #named > MAX_TAG_BYTES or type(headers["etag"]) ~= "string" then return nil end
  local tags = {}
  for tag in named:gmatch("%S+") do
    if tag ~= numbers.ALL then tags[#tags + 1] = tag end
  end
  if #tags > MAX_TAGS then return nil end
  tags[#tags + 1] = numbers.ALL
  return tags, math.min(seconds, MAX_SECONDS)
end

-- For how many seconds more a page may be of use. It may have ended since it was looked at.
local function left(page) return math.max(page.ends + options.stale_seconds - clock.now(), 0.001) end

-- Say the page to the client.
local function say(page, body, state)
  local headers = ngx.header
  headers["X-Cache"] = state
  headers["Age"] = math.floor(clock.now() - page.created)
  headers["ETag"] = page.etag
  headers["Cache-Control"] = "public, max-age=0, must-revalidate"
  headers["X-Content-Type-Options"] = "nosniff"
  headers["Referrer-Policy"] = "no-referrer"
  headers["Edge-Operation"] = page.operation
  local known = ngx.var.http_if_none_match
  if known and (known == "*" or known:find(page.etag, 1, true)) then
    ngx.status = 304
    return
  end
  headers["Content-Type"] = page.media .. "; charset=utf-8"
  headers["Content-Length"] = #body
  if page.coding ~= "identity" then headers["Content-Encoding"] = page.coding end
  if ngx.req.get_method() ~= "HEAD" then ngx.print(body) end
end

-- A page in the coding that was asked for, made of the uncoded one where it must be; and its body.
local function coded(key, page, body, coding)
  if coding == "identity" then return page, body end
  local encoded = compress.encoded(body, coding)
  if not encoded then return page, body end
  local variant = setmetatable({ coding = coding, etag = page.etag:sub(1, -2) .. "-" .. coding .. '"' }, { __index = page })
  pages.keep(key, variant, encoded, left(page))
  return variant, encoded
end

-- The page that is kept, in the coding asked for, with its body; nil unless `admits` it.
local function kept(key, coding, admits)
  local page = pages.by_key(key, coding)
  if page and admits(page) then
    local body = pages.body(page)
    if body then return page, body end
  end
  if coding == "identity" then return nil end
  page = pages.by_key(key, "identity")
  local body = page and admits(page) and pages.body(page)
  if body then return coded(key, page, body, coding) end
end

local function fresh(key, coding)
  -- The channel first, then the tags' numbers: see edge/numbers.lua.
  if not numbers.live() then return nil end
  return kept(key, coding, pages.holds)
end

-- Whether a fresh page is kept of which an answer in that coding can be made.
function _M.has(key, coding)
  if not numbers.live() then return false end
  local page = pages.by_key(key, coding) or pages.by_key(key, "identity")
  return page ~= nil and pages.holds(page)
end

local function may_be_stale(page)
  return page.created + options.stale_seconds > clock.now()
end

-- A replica says 503 itself, in JSON; whatever else nginx makes of a replica that it cannot ask.
local function is_down(answer, headers)
  local ours = not (headers["content-type"] or ""):find("json", 1, true)
  return answer.status == 503 or answer.status >= 500 and ours
end

local function old_answer(key, coding)
  if options.stale_seconds == 0 then return false end
  local page, body = kept(key, coding, may_be_stale)
  if not page then return false end
  counts.stale = counts.stale + 1
  say(page, body, "STALE")
  return true
end

-- Say a replica's answer that is not kept.
local function pass_on(answer, headers, state)
  ngx.status = answer.status
  for name, value in pairs(headers) do
    if not DROPPED[name] then ngx.header[name] = value end
  end
  ngx.header["X-Cache"] = state
  ngx.header["Content-Type"] = headers["content-type"]
  ngx.header["Content-Length"] = #answer.body
  if ngx.req.get_method() ~= "HEAD" then ngx.print(answer.body) end
end

local function ask()
  local answer
  for _ = 1, TRIES do
    answer = ngx.location.capture("/=read", { method = ngx.HTTP_GET })
    -- A replica that died in the middle costs nobody anything: nothing of it has been sent.
    if not answer.truncated then return answer end
  end
  return { status = 502, header = {}, body = "" }
end

-- Keep the answer if no write touched it since `begun` was noted; returns the page, kept or not.
function _M.keep(key, operation, answer, headers, tags, seconds, begun)
  local now = clock.now()
  local page = {
    etag = headers["etag"],
    created = now,
    ends = now + seconds,
    media = headers["content-type"]:match("^[^; ]+"),
    coding = "identity",
    operation = operation,
    tags = tags,
    -- Noted before the look at the ring: see edge/numbers.lua.
    noted = numbers.numbers_of(tags),
  }
  if numbers.touched_since(begun, tags) then
    counts.raced = counts.raced + 1
    return page, false
  end
  pages.keep(key, page, answer.body, seconds + options.stale_seconds)
  return page, true
end

local function fill(key, operation, exact, coding)
  -- Room that was seen at the front server may have gone to others since.
  if peers.are_full(options.replica_requests) then
    if old_answer(key, coding) then return end
    counts.shed = counts.shed + 1
    return refusal.overloaded()
  end
  -- Before anything is asked: a write begun after this may be missing in the answer.
  local begun = numbers.begun()
  local asked = clock.now()
  local answer = ask()
  durations.add(clock.now() - asked)
  local headers = headers_of(answer)
  counts.miss = counts.miss + 1
  if is_down(answer, headers) then
    flight.fail(key)
    if old_answer(key, coding) then return end
    counts.failed = counts.failed + 1
    if headers["retry-after"] then return pass_on(answer, headers, "MISS") end
    return refusal.unavailable()
  end
  local tags, seconds = keepable(answer, headers)
  if not tags then
    flight.pass(key)
    return pass_on(answer, headers, "MISS")
  end
  ngx.header["X-Request-Id"] = headers["x-request-id"]
  local page, stored = _M.keep(key, operation, answer, headers, tags, seconds, begun)
  local body = answer.body
  if stored then
    page, body = coded(key, page, body, coding)
    if page.coding == coding then pages.alias(exact, page, seconds + options.stale_seconds) end
  end
  return say(page, body, "MISS")
end

-- Say what whoever asked for the same has just been told.
local function refuse(key, coding)
  if old_answer(key, coding) then return end
  counts.failed = counts.failed + 1
  return refusal.unavailable()
end

-- Answer the request.
function _M.serve()
  local exact, coding = ngx.var.edge_exact, ngx.var.edge_coding
  local key, operation
  -- Empty for every method that is not GET or HEAD.
  if exact ~= "" then key, operation = keys.canonical(ngx.var.request_uri) end
  if not key then
    counts.pass = counts.pass + 1
    return ngx.exec("@pass")
  end
  key = ngx.var.edge_accept .. "\n" .. key
  local hashed = variables.hash(exact, #exact)
  for round = 0, WAITS do
    local page, body = fresh(key, coding)
    if page then
      if page.coding == coding then pages.alias(exact, page, left(page)) end
      local name = round == 0 and "hit" or "waited"
      counts[name] = counts[name] + 1
      return say(page, body, "HIT")
    end
    if flight.is_failed(key) then return refuse(key, coding) end
    if flight.passes(key) or round == WAITS then break end
    if flight.lead(key, hashed) then
      local done, problem = pcall(fill, key, operation, exact, coding)
      flight.done(key, hashed)
      if not done then error(problem, 0) end
      return
    end
  end
  return fill(key, operation, exact, coding)
end

return _M

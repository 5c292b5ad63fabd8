-- The numbers by which the edge knows whether a page still holds: the law of freshness, in one place.
--
--   begun      how many writes this edge has begun to apply
--   ring       of each of the last RING writes, the tags that it touched
--   tags       of each tag, the number of the write that touched it last; absent: none did for as long as pages are kept
--   all        the same of the tag that every page has
--   live       a number that every finished write and every heartbeat changes
--   heard      when the last heartbeat came, by edge/clock.lua; too long ago, and nothing is served from the cache
--   ahead      by how much the system's clock is ahead of edge/clock.lua
--   lsn:N      the highest position of the primary's log that worker N has heard of
--
-- A fill notes `begun` before it asks a replica. When the answer is there it notes the number of each of its tags, and
-- only then looks whether a write begun since touched one of them: looked at in the other order, a write between the
-- two looks would be taken for an old one. A reader reads `live` before the numbers of the tags, for the same reason.
local clock = require("edge.clock")
local shared = require("edge.shared")
local variables = require("edge.variables")
local control, ring, tags = ngx.shared.control, ngx.shared.ring, ngx.shared.tags
local concat, gmatch, find, format, sub = table.concat, string.gmatch, string.find, string.format, string.sub
local worker_id, time, abs, now = ngx.worker.id, ngx.time, math.abs, clock.now

local RING = 4096
local LIVE_SECONDS = 0.75
-- `live` begins anew with each heartbeat, so far from the last beginning that no count of writes between two reaches
-- it: 2^20 writes in a quarter of a second. It stays a whole number of 53 bits for 68 years.
local STRIDE = 2 ^ 20

-- No page is kept for longer. The number of a tag is kept for twice as long: when it goes, every page that could have
-- noted an older one has ended, and one that noted this one is only asked for again.
local PAGE_SECONDS = 3600

-- The dictionary counts that time by the system's clock. So far that may move before every page is forgotten.
local JUMP_SECONDS = 60

local _M = { ALL = "all", LIVE_SECONDS = LIVE_SECONDS, PAGE_SECONDS = PAGE_SECONDS }

-- Called before the workers are there, and again when nginx is told to read its configuration anew: dictionaries
-- outlive that, and a number that came again would make an old page new. So they go on, and every page is forgotten,
-- as the dictionary of the tags may have got another size and with it have lost its numbers.
function _M.start()
  control:add("base", 0)
  control:add("all", 0)
  control:add("ahead", time() - now())
  if not control:add("begun", 0) then _M.write({ "all" }) end
end

local function number_of_lsn(text)
  local high, low = text:match("^(%x+)/(%x+)$")
  return high and tonumber(high, 16) * 2 ^ 32 + tonumber(low, 16)
end

local function highest_lsn()
  local highest = 0
  for worker = 0, ngx.worker.count() - 1 do
    local known = control:get("lsn:" .. worker)
    if known and known > highest then highest = known end
  end
  return highest
end

-- Each worker raises a number of its own, so that two of them cannot overwrite the higher with the lower.
local function heard_of(lsn)
  local number = lsn and number_of_lsn(lsn)
  local own = "lsn:" .. (worker_id() or 0)
  if number and number > (control:get(own) or 0) then control:set(own, number) end
end
_M.heard_of = heard_of

-- What a standby must have replayed before it may answer, as PostgreSQL writes it; nil: nothing was heard of yet.
function _M.after()
  local number = highest_lsn()
  if number > 0 then return format("%X/%X", math.floor(number / 2 ^ 32), number % 2 ^ 32) end
end

local function mark(tag, number)
  if tag == "all" then
    control:set("all", number)
    return
  end
  local stored, problem = tags:safe_set(tag, number, 2 * PAGE_SECONDS)
  if stored then return end
  -- No room. A number that was pushed out would look like that of a tag never touched, so every page goes first.
  ngx.log(ngx.NOTICE, "the numbers of the tags have no room left (", problem, "): every page is forgotten")
  control:set("all", number)
  tags:flush_all()
  tags:flush_expired()
  -- And once more: between the two, another worker may have kept a page and a third one have marked its tag.
  control:set("all", control:incr("begun", 1))
  tags:safe_set(tag, number, 2 * PAGE_SECONDS)
end

local function apply(touched, lsn)
  -- 0. Where the write can be read. A fill that notes the write as begun must also wait for it on a standby.
  heard_of(lsn)
  -- 1. It has begun: a fill that noted less looks at the ring.
  local number = control:incr("begun", 1)
  -- 2. What it touches. A fill that finds the slot of another write here takes its own tags for touched.
  ring:set(number % RING, number .. " " .. concat(touched, " ") .. " ")
  -- 3. The tags: pages that noted an older number are stale from here on.
  for _, tag in ipairs(touched) do mark(tag, number) end
  -- 4. Everyone looks again. Before step 3 a reader could note the new `live` beside the old number of a tag.
  --    Not found: there was no heartbeat yet, and the first one brings a number nobody has noted.
  control:incr("live", 1)
end

-- What this worker knows of `ahead`.
local ahead

-- Forget every page if the system's clock was set: the numbers of tags may go before the pages that noted older ones.
-- Before every use of the tags, in the same turn of the event loop: nginx's time, and theirs, stands still within one.
-- `moment`: what edge/clock.lua says.
local function look_at_the_clock(moment)
  local found = time() - moment
  if ahead and abs(found - ahead) < JUMP_SECONDS then return end
  ahead = control:get("ahead")
  if abs(found - ahead) < JUMP_SECONDS then return end
  ngx.log(ngx.NOTICE, "the clock was set by ", found - ahead, " seconds: every page is forgotten")
  -- Forgotten first: another worker that finds `ahead` as it should be goes on.
  apply({ "all" })
  control:set("ahead", found)
  ahead = found
end

-- A write that touched `touched`, applied in exactly this order. It must have returned before its writer is answered.
-- `lsn`: the primary's position after its commit; nil where the write came without one.
function _M.write(touched, lsn)
  look_at_the_clock(now())
  apply(touched, lsn)
end

-- Everything is forgotten.
function _M.forget(lsn)
  local number = lsn and number_of_lsn(lsn)
  if number and number < highest_lsn() then
    -- Another database, whose log is shorter: no standby of it would ever get to the old place.
    for worker = 0, ngx.worker.count() - 1 do control:delete("lsn:" .. worker) end
  end
  _M.write({ "all" }, lsn)
end

-- The channel is whole: everything until now has been applied.
function _M.renew()
  control:set("live", control:incr("base", 1) * STRIDE)
  control:set("heard", now())
end

-- What this worker knows of `heard`.
local heard = -LIVE_SECONDS

-- The number; nil while the channel is silent. The heartbeat is read before the number, and the time after it: read
-- later, a heartbeat could stand for a number from the silence before it. The time is given too, for whoever goes on.
function _M.live()
  local number = control:get("live")
  local after = now()
  look_at_the_clock(after)
  if after - heard < LIVE_SECONDS then return number, after end
  heard = control:get("heard") or -LIVE_SECONDS
  number = control:get("live")
  after = now()
  if after - heard < LIVE_SECONDS then return number, after end
end

function _M.begun()
  return control:get("begun")
end

function _M.number_of(tag)
  if tag == "all" then return control:get("all") end
  return tags:get(tag) or 0
end

-- The same of the tag whose `bytes` bytes are at `at`.
local tags_zone = shared.zone(tags)
function _M.number_at(at, bytes)
  if variables.is(at, bytes, "all", 0) then return control:get("all") end
  return shared.number(tags_zone, at, bytes) or 0
end

-- The numbers of `names` (an array), as an array.
function _M.numbers_of(names)
  look_at_the_clock(now())
  local numbers = {}
  for i = 1, #names do numbers[i] = _M.number_of(names[i]) end
  return numbers
end

-- Whether each of `names` still has the number that was noted.
function _M.unchanged(names, noted)
  for i = 1, #names do
    if _M.number_of(names[i]) ~= noted[i] then return false end
  end
  return true
end

-- Whether a write begun after `noted` touched one of `names`. In doubt it did.
function _M.touched_since(noted, names)
  local now = control:get("begun")
  if now == noted then return false end
  if now - noted >= RING then return true end
  local shown = { all = true }
  for i = 1, #names do shown[names[i]] = true end
  for number = noted + 1, now do
    local line = ring:get(number % RING)
    local _, head = find(line or "", number .. " ", 1, true)
    if not head or head ~= #tostring(number) + 1 then return true end
    for tag in gmatch(sub(line, head + 1), "%S+") do
      if shown[tag] then return true end
    end
  end
  return false
end

return _M

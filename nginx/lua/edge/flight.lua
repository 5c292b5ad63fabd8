-- One fill for many equal misses: who asks a replica, and how the others wait.
local semaphore = require("ngx.semaphore")
local fills = ngx.shared.fills

local _M = {}

-- A fill whose worker died is over after this many seconds.
local LONGEST_SECONDS = 20
-- How often a worker looks whether another worker's fill has ended; a waiter learns of it this much later at most.
local LOOK_SECONDS = 0.002
-- Answers that cannot be kept are not waited for again for this long.
local PASS_SECONDS = 1

local here = {} -- key → what this worker's requests wait for

local function ended(key)
  local waiting = here[key]
  here[key] = nil
  if waiting and waiting.count > 0 then waiting.semaphore:post(waiting.count) end
end

-- Whether the caller must make the fill of `key` itself, and then say `done`. Otherwise it has waited for another's, and
-- should look again; what it finds may be older than its request, so it looks with the usual check.
function _M.lead(key)
  local waiting = here[key]
  if waiting then
    waiting.count = waiting.count + 1
    if not waiting.semaphore:wait(LONGEST_SECONDS) then waiting.count = waiting.count - 1 end
    return false
  end
  here[key] = { semaphore = semaphore.new(), count = 0 }
  if fills:add(key, true, LONGEST_SECONDS) then return true end
  repeat
    ngx.sleep(LOOK_SECONDS)
  until not fills:get(key)
  ended(key)
  return false
end

function _M.done(key)
  fills:delete(key)
  ended(key)
end

-- Answers for `key` cannot be kept, so nobody need wait for one.
function _M.pass(key)
  fills:set("pass " .. key, true, PASS_SECONDS)
end

function _M.passes(key)
  return fills:get("pass " .. key)
end

return _M

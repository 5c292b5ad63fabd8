-- One fill for many equal misses: who asks a replica, and how the others wait.
local semaphore = require("ngx.semaphore")
local clock = require("edge.clock")
local fills = ngx.shared.fills

local _M = {}

-- A fill whose worker died is over after this many seconds.
local LONGEST_SECONDS = 20
-- How often a worker looks whether another worker's fill has ended; a waiter learns of it this much later at most.
local LOOK_SECONDS = 0.002
-- Answers that cannot be kept are not waited for again for this long.
local PASS_SECONDS = 1
-- Whoever waited for an answer that no replica could give is told so, and does not wait for the next who tries.
local DOWN_SECONDS = 0.05

-- Entries of `fills` say until when they count.
local function put(key, seconds) return fills:set(key, clock.now() + seconds, seconds) end
local function counts(key)
  local ends = fills:get(key)
  if not ends then return false end
  if ends > clock.now() then return true end
  fills:delete(key)
  return false
end

local here = {} -- key → what this worker's requests wait for

local function ended(key)
  local waiting = here[key]
  here[key] = nil
  if waiting and waiting.count > 0 then waiting.semaphore:post(waiting.count) end
end

local function exact_key(hashed) return "exact " .. hashed end

-- Whether the caller must make the fill of `key` itself, and then say `done`. Otherwise it has waited for another's, and
-- should look again; what it finds may be older than its request, so it looks with the usual check. `hashed`: a hash of
-- the request as it was spelt.
function _M.lead(key, hashed)
  local waiting = here[key]
  if waiting then
    waiting.count = waiting.count + 1
    if not waiting.semaphore:wait(LONGEST_SECONDS) then waiting.count = waiting.count - 1 end
    return false
  end
  here[key] = { semaphore = semaphore.new(), count = 0 }
  if fills:add(key, clock.now() + LONGEST_SECONDS, LONGEST_SECONDS) then
    put(exact_key(hashed), LONGEST_SECONDS)
    return true
  end
  repeat
    ngx.sleep(LOOK_SECONDS)
  until not counts(key)
  ended(key)
  return false
end

function _M.done(key, hashed)
  fills:delete(exact_key(hashed))
  fills:delete(key)
  ended(key)
end

-- Whether a fill of `key` is under way, here or in another worker.
function _M.is_under_way(key)
  return counts(key)
end

-- Whether one that began with a request of that spelling is, or, once in four thousand million, with another's.
function _M.is_asked(hashed)
  return counts(exact_key(hashed))
end

-- Answers for `key` cannot be kept, so nobody need wait for one.
function _M.pass(key)
  put("pass " .. key, PASS_SECONDS)
end

-- No replica could answer `key` just now.
function _M.fail(key)
  put("down " .. key, DOWN_SECONDS)
end

function _M.is_failed(key)
  return counts("down " .. key)
end

function _M.passes(key)
  return counts("pass " .. key)
end

return _M

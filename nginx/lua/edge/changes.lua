-- Writes that came another way: through another edge, the ETL, SQL by hand. One worker reads them from a replica, as
-- they are committed, and applies them for all.
--
--   from <position> <lsn>       the stream goes on from where we were
--   reset <position> <lsn>      it cannot: everything is forgotten
--   change <xid> <tag> …        a transaction that has committed
--   at <position> <lsn>         all until here has been told; the channel is whole at this moment
local counts = require("edge.counts")
local http = require("edge.http")
local numbers = require("edge.numbers")
local peers = require("edge.peers")
local control, seen = ngx.shared.control, ngx.shared.seen

local _M = {}

-- Heartbeats come every 250 ms. Two are missed: another replica may do better, while `live` still lasts.
local CONNECT_MS, SILENCE_MS = 250, 600
local PAUSE_SECONDS = 0.05

-- Told and not yet applied: an array of the tags of each. Where they can be read is only known at the next `at`, and a
-- fill that noted them as begun must not ask a standby for less.
local waiting = {}

local says = {}
_M.says = says

function says.from(_, lsn)
  waiting = {}
  numbers.heard_of(lsn)
end

function says.reset(position, lsn)
  waiting = {}
  -- Another database, or another history of this one, gives the numbers of transactions once more.
  seen:flush_all()
  numbers.forget(lsn)
  control:set("position", position)
end

function says.change(xid, _, line)
  -- The mutation's own answer came through this edge, and was applied then.
  if seen:get(xid) then return end
  local tags = {}
  for tag in line:sub(#"change " + #xid + 2):gmatch("%S+") do tags[#tags + 1] = tag end
  waiting[#waiting + 1] = tags
end

function says.at(position, lsn)
  numbers.heard_of(lsn)
  for _, tags in ipairs(waiting) do
    counts.changes = counts.changes + 1
    numbers.write(tags, lsn)
  end
  waiting = {}
  control:set("position", position)
  numbers.renew()
end

local function follow(peer)
  local path = "/internal/changes"
  local position = control:get("position")
  if position then path = path .. "?after=" .. ngx.escape_uri(position) end
  local socket, status, chunked = http.open(peer, path, CONNECT_MS, SILENCE_MS)
  if not socket then return status end
  local next_line = http.lines(socket, chunked)
  local line, problem
  if status ~= 200 then problem = "status " .. status end
  while not problem and not ngx.worker.exiting() do
    line, problem = next_line()
    if line then
      local word, first, second = line:match("^(%l+) (%S+) ?(%S*)")
      local say = says[word]
      if say then
        say(first, second, line)
      else
        problem = "a line that is not understood: " .. line:sub(1, 100)
      end
    end
  end
  socket:close()
  return problem
end

-- The next replica to read from: a ready one, another one than last time.
local function next_peer(last)
  local all, after = peers.all(), 0
  for i, peer in ipairs(all) do
    if peer.address == last then after = i end
  end
  local any
  for i = 1, #all do
    local peer = all[(after + i - 1) % #all + 1]
    if peer.ready then return peer end
    any = any or peer
  end
  return any
end

local function run(premature)
  if premature then return end
  local last, told
  while not ngx.worker.exiting() do
    local peer = next_peer(last)
    if peer then
      last = peer.address
      control:set("channel", last)
      local done, problem = pcall(follow, peer)
      local news = last .. " ended: " .. tostring(problem)
      if news ~= told then
        told = news
        ngx.log(done and ngx.NOTICE or ngx.ERR, "the channel of changes at ", news)
      end
    end
    ngx.sleep(PAUSE_SECONDS)
  end
end

function _M.start()
  local started, problem = ngx.timer.at(0, run)
  if not started then ngx.log(ngx.ERR, "the channel of changes cannot be read: ", problem) end
end

return _M

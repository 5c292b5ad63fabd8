-- What the edge knows of itself, as JSON: for people, for probes, and for edge/metrics.lua.
local cjson = require("cjson.safe")
local counts = require("edge.counts")
local durations = require("edge.durations")
local numbers = require("edge.numbers")
local peers = require("edge.peers")
local control, pages = ngx.shared.control, ngx.shared.pages

local _M = {}

local TELL_SECONDS = 1

local function tell()
  local own = ngx.worker.id()
  for name, count in pairs(counts) do control:set("count:" .. own .. ":" .. name, count) end
  -- One text a worker: its numbers belong together, and few keys may live there.
  control:set("durations:" .. own, durations.packed())
end

function _M.start()
  ngx.timer.every(TELL_SECONDS, tell)
end

-- The state of the edge. Counts are those of the workers that run now, up to a second old.
function _M.state()
  tell()
  local total = {}
  for name in pairs(counts) do
    total[name] = 0
    for worker = 0, ngx.worker.count() - 1 do
      total[name] = total[name] + (control:get("count:" .. worker .. ":" .. name) or 0)
    end
  end
  local texts = {}
  for worker = 0, ngx.worker.count() - 1 do texts[worker + 1] = control:get("durations:" .. worker) or "" end
  local replicas = {}
  for i, peer in ipairs(peers.all()) do replicas[i] = { address = peer.address, ready = peer.ready, requests = peers.running(peer.address) } end
  return {
    live = numbers.live() ~= nil,
    begun = numbers.begun(),
    after = numbers.after() or cjson.null,
    position = control:get("position") or cjson.null,
    channel = control:get("channel") or cjson.null,
    counts = total,
    fills = durations.summed(texts),
    replicas = replicas,
    cache = { capacity_bytes = pages:capacity(), free_bytes = pages:free_space() },
    tags = { capacity_bytes = ngx.shared.tags:capacity(), free_bytes = ngx.shared.tags:free_space() },
  }
end

function _M.serve()
  ngx.header["Content-Type"] = "application/json"
  ngx.print(cjson.encode(_M.state()), "\n")
end

-- Whether requests sent here can be answered: at least one replica is ready.
function _M.ready()
  for _, peer in ipairs(peers.all()) do
    if peer.ready then return ngx.print("ready\n") end
  end
  ngx.status = 503
  ngx.header["Retry-After"] = "1"
  ngx.print("no replica is ready\n")
end

return _M

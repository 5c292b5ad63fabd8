-- The replicas: which there are, which are ready, and which one gets the next request. Never a reload for any of it.
local balancer = require("ngx.balancer")
local clock = require("edge.clock")
local options = require("edge.options")
local control = ngx.shared.control

local _M = {}

-- A replica that did not take a connection is left out for this long; the next probe says more.
local DOWN_SECONDS = 0.5
local MORE_TRIES = 3
-- Where there is no room, a worker counts again this often.
local COUNT_SECONDS = 0.001

local known, version = {}, nil -- this worker's copy of the table
local at_work = {} -- address → requests of this worker under way

-- Each worker says to the others how many it has: a sum of numbers that only one writes each needs no lock, and those of a
-- worker that died are over when its successor starts.
local function work_key(worker, address)
  return "work:" .. worker .. ":" .. address
end

local function set_work(address, count)
  at_work[address] = count
  control:set(work_key(ngx.worker.id(), address), count)
  _M.count()
end

-- How many requests of this edge are under way at a replica.
function _M.running(address)
  local total, own = at_work[address] or 0, ngx.worker.id()
  for worker = 0, ngx.worker.count() - 1 do
    if worker ~= own then total = total + (control:get(work_key(worker, address)) or 0) end
  end
  return total
end

-- Publish the table: an array of {host, port, ready}.
function _M.publish(peers)
  local lines = {}
  for i, peer in ipairs(peers) do
    lines[i] = peer.host .. " " .. peer.port .. " " .. (peer.ready and "1" or "0")
  end
  control:set("peers", table.concat(lines, "\n"))
  control:incr("peers_version", 1, 0)
end

-- Say nothing more of replicas that are no longer there. Few keys may live where the others are told.
local function forget_gone()
  local here = {}
  for _, peer in ipairs(known) do here[peer.address] = true end
  for address, count in pairs(at_work) do
    if count == 0 and not here[address] then
      at_work[address] = nil
      control:delete(work_key(ngx.worker.id(), address))
    end
  end
end

-- All replicas, as an array of {host, port, address, ready}.
function _M.all()
  local newest = control:get("peers_version")
  if newest ~= version then
    known, version = {}, newest
    for host, port, ready in (control:get("peers") or ""):gmatch("(%S+) (%d+) ([01])") do
      known[#known + 1] = { host = host, port = tonumber(port), address = host .. ":" .. port, ready = ready == "1" }
    end
    forget_gone()
  end
  return known
end

local function is_up(peer)
  local ends = control:get("down:" .. peer.address)
  return peer.ready and (not ends or ends <= clock.now())
end

-- The ready replica with the fewest requests under way, none of those tried before; if none is ready, any.
local function pick(tried)
  local peers, best, best_count = _M.all(), nil, nil
  local from = math.random(#peers)
  for wanted = 1, 3 do
    for i = 1, #peers do
      local peer = peers[(from + i) % #peers + 1]
      local admitted = (wanted == 1 and is_up(peer) or wanted == 2 and peer.ready or wanted == 3) and not tried[peer.address]
      local count = admitted and _M.running(peer.address)
      if admitted and (not best or count < best_count) then best, best_count = peer, count end
    end
    if best then return best end
  end
end

-- Note how many requests of this edge are under way at the ready replica that has the fewest; 0 where none is ready.
-- Loops here and not where it is asked: LuaJIT does not compile what calls them, and a refusal would cost a half more.
function _M.count()
  local least
  for _, peer in ipairs(_M.all()) do
    if is_up(peer) then
      local count = _M.running(peer.address)
      if not least or count < least then least = count end
    end
  end
  control:set("least", least or 0)
end

local next_count = 0

-- Whether there are ready replicas, and each has `limit` requests of this edge under way.
function _M.are_full(limit)
  if (control:get("least") or 0) < limit then return false end
  -- Workers that count at the same moment may miss each other's last change. A refusal changes nothing, so it would stay.
  local now = clock.now()
  if now < next_count then return true end
  next_count = now + COUNT_SECONDS
  _M.count()
  return control:get("least") >= limit
end

-- Names are asked for by edge/health.lua; addresses are there from the start.
function _M.start()
  local peers = {}
  for _, upstream in ipairs(options.upstream) do
    if upstream.is_address then
      peers[#peers + 1] = { host = upstream.name, port = upstream.port, ready = true }
    end
  end
  _M.publish(peers)
end

-- A worker begins with nothing under way, whatever the one before it has left.
function _M.worker()
  for _, peer in ipairs(_M.all()) do set_work(peer.address, 0) end
end

-- Name the replica of this try. Source of the order: ngx.balancer of lua-resty-core.
function _M.balance()
  local context = ngx.ctx
  if not context.tried then
    context.tried = {}
    -- Once each, and no more often than that.
    local others = #_M.all() - 1
    if others > 0 then balancer.set_more_tries(math.min(MORE_TRIES, others)) end
  elseif balancer.get_last_failure() and ngx.var.edge_peer ~= "" then
    control:set("down:" .. ngx.var.edge_peer, clock.now() + DOWN_SECONDS, DOWN_SECONDS)
  end
  _M.leave()
  local peer = #_M.all() > 0 and pick(context.tried)
  if not peer then return ngx.exit(ngx.ERROR) end
  context.tried[peer.address] = true
  -- A variable outlives what nginx makes of a failure, a page of its own; ngx.ctx does not, and it would count for ever.
  ngx.var.edge_peer = peer.address
  set_work(peer.address, (at_work[peer.address] or 0) + 1)
  local set, problem = balancer.set_current_peer(peer.host, peer.port)
  if not set then
    ngx.log(ngx.ERR, "the replica ", peer.address, " cannot be asked: ", problem)
    return ngx.exit(502)
  end
end

-- The request that a replica was picked for is over, if one was.
function _M.leave()
  local address = ngx.var.edge_peer
  if address and address ~= "" then
    ngx.var.edge_peer = ""
    set_work(address, at_work[address] - 1)
  end
end

return _M

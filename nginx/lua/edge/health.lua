-- Which replicas there are (names are asked for each second) and which of them are ready (asked four times a second).
-- Runs in one worker, which tells the others.
local dns = require("edge.dns")
local http = require("edge.http")
local options = require("edge.options")
local peers = require("edge.peers")

local _M = {}

local NAMES_SECONDS, PROBE_SECONDS, PROBE_MS = 1, 0.25, 1000

local addresses = {} -- what EDGE_UPSTREAM says, name → array of addresses
local ready, probing = {}, {} -- address:port → boolean

local function publish()
  local found, seen = {}, {}
  for _, upstream in ipairs(options.upstream) do
    local port = upstream.port
    for _, host in ipairs(addresses[upstream.name] or {}) do
      local address = host .. ":" .. port
      if not seen[address] then
        seen[address] = true
        found[#found + 1] = { host = host, port = port, address = address, ready = ready[address] ~= false }
      end
    end
  end
  table.sort(found, function(one, other) return one.address < other.address end)
  -- An address that is gone is asked anew should it come back.
  for address in pairs(ready) do
    if not seen[address] then ready[address] = nil end
  end
  local text = {}
  for i, peer in ipairs(found) do text[i] = peer.address .. (peer.ready and "+" or "-") end
  text = table.concat(text, " ")
  if text ~= _M.published then
    ngx.log(ngx.NOTICE, "replicas: ", text == "" and "none" or text)
    _M.published = text
    peers.publish(found)
  end
end

local function probe(premature, peer)
  if premature then return end
  local socket, status = http.open(peer, "/readyz", PROBE_MS, PROBE_MS)
  if socket then socket:close() end
  probing[peer.address] = nil
  ready[peer.address] = status == 200
  publish()
end

local function probe_all(premature)
  if premature then return end
  for _, peer in ipairs(peers.all()) do
    if not probing[peer.address] then
      probing[peer.address] = true
      ngx.timer.at(0, probe, peer)
    end
  end
end

local function resolve(premature)
  if premature then return end
  for _, upstream in ipairs(options.upstream) do
    local name = upstream.name
    if upstream.is_address then
      addresses[name] = { name }
    else
      local found, problem = dns.addresses(name, options.resolvers)
      if found then
        -- One that is new is asked before it is given requests.
        for _, host in ipairs(found) do
          local address = host .. ":" .. upstream.port
          if ready[address] == nil and addresses[name] then ready[address] = false end
        end
        addresses[name] = found
      elseif problem then
        -- The replicas of the last answer may well be there still: their probes say.
        ngx.log(ngx.WARN, "the name ", name, " cannot be resolved: ", problem)
      end
    end
  end
  publish()
end

function _M.start()
  ngx.timer.at(0, resolve)
  ngx.timer.every(NAMES_SECONDS, resolve)
  ngx.timer.every(PROBE_SECONDS, probe_all)
end

return _M

-- Whether the replicas have room for one more request. What the edge has itself needs none, so hits are never refused.
local counts = require("edge.counts")
local fill = require("edge.fill")
local flight = require("edge.flight")
local keys = require("edge.keys")
local options = require("edge.options")
local peers = require("edge.peers")

local _M = {}

-- Of what has a body so many more are let through than of reads: a review that was written is not to be lost to readers.
local MORE = 1.25

-- A read whose page is kept under another spelling, or is being asked for already, asks no replica.
local function is_at_hand()
  local var = ngx.var
  if var.edge_exact == "" then return false end
  local key = keys.canonical(var.request_uri)
  if not key then return false end
  key = var.edge_accept .. "\n" .. key
  return flight.is_under_way(key) or fill.has(key, var.edge_coding)
end

-- Empty, or "none" where the request is to be refused. Runs before anything of its body is read.
function _M.look()
  local limit = options.replica_requests
  if not peers.are_full(limit) then return "" end
  if ngx.var.edge_exact == "" and not peers.are_full(limit * MORE) or is_at_hand() then return "" end
  counts.shed = counts.shed + 1
  return "none"
end

return _M

-- Whether the replicas have room for one more request. What the edge has itself needs none, so hits are never refused.
local clock = require("edge.clock")
local counts = require("edge.counts")
local fill = require("edge.fill")
local flight = require("edge.flight")
local keys = require("edge.keys")
local options = require("edge.options")
local peers = require("edge.peers")
local variables = require("edge.variables")

local _M = {}

-- Of what has a body so many more are let through than of reads: a review that was written is not to be lost to readers.
local MORE = 1.25

-- To find out what a spelling that nobody has used yet stands for costs half of a refusal, and strings that differ in
-- their middle only, of which LuaJIT's table of strings makes long rows. So a worker does it this often.
local LOOK_SECONDS = 0.001
local next_look = 0

-- A read whose page is being asked for already, or is kept under another spelling, asks no replica.
local function is_at_hand(exact, length)
  if flight.is_asked(variables.hash(exact, length)) then return true end
  local now = clock.now()
  if now < next_look then return false end
  next_look = now + LOOK_SECONDS
  local var = ngx.var
  local key = keys.canonical(var.request_uri)
  if not key then return false end
  key = var.edge_accept .. "\n" .. key
  return flight.is_under_way(key) or fill.has(key, var.edge_coding)
end

-- Empty, or "none" where the request is to be refused. Runs before anything of its body is read.
function _M.look()
  local limit = options.replica_requests
  if not peers.are_full(limit) then return "" end
  local exact, length = variables.at("edge_exact")
  if length == 0 then
    if not peers.are_full(limit * MORE) then return "" end
  elseif is_at_hand(exact, length) then
    return ""
  end
  counts.shed = counts.shed + 1
  return "none"
end

return _M

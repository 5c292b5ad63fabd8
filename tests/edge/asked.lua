-- Writes the address of each replica that is asked to the edge's log.
local peers = require("edge.peers")
local balance = peers.balance

function peers.balance()
  balance()
  ngx.log(ngx.NOTICE, "asked: ", ngx.var.edge_peer)
end

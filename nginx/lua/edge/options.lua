-- What differs by machine, as the generated include gives it to edge/start.lua.
return {
  upstream = {}, -- given as "host:port" each; kept as {name, port, is_address}
  resolvers = {}, -- addresses of name servers
  stale_seconds = 0,
  replica_requests = 64, -- how many requests of this edge may be under way at a replica
}

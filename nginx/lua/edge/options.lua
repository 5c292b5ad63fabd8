-- What differs by machine, as the generated include gives it to edge/start.lua.
return {
  upstream = {}, -- given as "host:port" each; kept as {name, port, is_address}
  resolvers = {}, -- addresses of name servers
  stale_seconds = 0,
  worker_pages = 8192,
}

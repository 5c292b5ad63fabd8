-- What differs by machine, as the generated include gives it to edge/start.lua.
return {
  upstream = {}, -- "host:port" each
  resolvers = {}, -- addresses of name servers
  stale_seconds = 0,
  worker_pages = 8192,
}

-- What this worker has counted since it started. Told to the others once a second: see edge/status.lua.
return {
  hit = 0, -- answered from the cache
  same = 0, -- answered with 304 from the cache
  miss = 0, -- a replica was asked, and the answer kept or not
  waited = 0, -- answered from the cache after waiting for another's fill
  pass = 0, -- not to be cached
  stale = 0, -- an old answer, as the operator allowed
  failed = 0, -- no replica answered
  raced = 0, -- an answer not kept because a write touched it meanwhile
  shed = 0, -- refused, because no replica had room
  writes = 0, -- mutations applied
  changes = 0, -- writes that came another way, applied
}

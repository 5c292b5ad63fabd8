-- Wrong: whoever waits for a fill gets its answer, though a write may have been acknowledged since the fill asked.
local fill, flight = require("edge.fill"), require("edge.flight")
local keep, lead = fill.keep, flight.lead
local last = {}

fill.keep = function(key, operation, answer, ...)
  last[key] = answer
  return keep(key, operation, answer, ...)
end

flight.lead = function(key, hashed)
  local mine = lead(key, hashed)
  local answer = not mine and last[key]
  if answer then
    ngx.header["Content-Type"] = "application/json"
    ngx.header["Content-Length"] = #answer.body
    ngx.header["X-Cache"] = "HIT"
    ngx.print(answer.body)
    ngx.exit(ngx.HTTP_OK)
  end
  return mine
end

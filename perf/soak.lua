-- Persisted product pages, with documents thrown in that nobody has sent before:
-- wrk -s perf/soak.lua URL -- PATH MARK HIGHEST EVERY RUN; each EVERY-th request has a document of its own.
local before, after, highest, every, run
local sent = 0

function init(args)
  local path, mark = args[1], args[2]
  local first, last = path:find(mark, 1, true)
  before, after = path:sub(1, first - 1), path:sub(last + 1)
  highest, every, run = tonumber(args[3]), tonumber(args[4]), tonumber(args[5])
  math.randomseed(run)
  wrk.headers["Content-Type"] = "application/json"
end

function request()
  sent = sent + 1
  local number = math.random(1, highest)
  if sent % every > 0 then return wrk.format("GET", before .. number .. after) end
  local body = string.format(
    '{"query": "{ product(id: %d) { name a%d_%d: ratingSummary { average count } characteristics { kind average } } }"}',
    number, run, sent
  )
  return wrk.format("POST", "/graphql", nil, body)
end

function done(summary)
  local errors = summary.errors
  print(string.format(
    '{"requests": %d, "failed": %d}', summary.requests,
    errors.connect + errors.read + errors.write + errors.timeout + errors.status
  ))
end

-- Asks for random products: wrk -s perf/ask.lua URL -- PATH MARK SEPARATOR IDS HIGHEST SEED
-- Where MARK stands in PATH, so many IDS from 1 to HIGHEST are put, with SEPARATOR between them.
local before, after, separator, ids, highest

function init(args)
  local path, mark = args[1], args[2]
  local first, last = path:find(mark, 1, true)
  before, after = path:sub(1, first - 1), path:sub(last + 1)
  separator, ids, highest = args[3], tonumber(args[4]), tonumber(args[5])
  math.randomseed(tonumber(args[6]))
end

function request()
  if ids == 1 then return wrk.format("GET", before .. math.random(1, highest) .. after) end
  local numbers = {}
  for place = 1, ids do numbers[place] = math.random(1, highest) end
  return wrk.format("GET", before .. table.concat(numbers, separator) .. after)
end

function done(summary, latency)
  local errors = summary.errors
  print(string.format(
    '{"requests": %d, "seconds": %.6f, "median_ms": %.3f, "p99_ms": %.3f, "failed": %d}',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.connect + errors.read + errors.write + errors.timeout + errors.status
  ))
end

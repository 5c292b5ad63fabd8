-- Asks for random products: wrk -s perf/ask.lua URL -- METHOD PATH BODY MARK SEPARATOR IDS HIGHEST SEED
-- Where MARK stands in PATH or BODY, so many IDS from 1 to HIGHEST are put, with SEPARATOR between them.
local method, path, body, separator, ids, highest

local function parted(text, mark)
  local first, last = text:find(mark, 1, true)
  if not first then return { text } end
  return { text:sub(1, first - 1), text:sub(last + 1) }
end

local function filled(parts)
  if not parts[2] then return parts[1] end
  if ids == 1 then return parts[1] .. math.random(1, highest) .. parts[2] end
  local numbers = {}
  for place = 1, ids do numbers[place] = math.random(1, highest) end
  return parts[1] .. table.concat(numbers, separator) .. parts[2]
end

function init(args)
  method, path, body = args[1], parted(args[2], args[4]), parted(args[3], args[4])
  separator, ids, highest = args[5], tonumber(args[6]), tonumber(args[7])
  math.randomseed(tonumber(args[8]))
  if method == "POST" then wrk.headers["Content-Type"] = "application/json" end
end

function request()
  return wrk.format(method, filled(path), nil, method == "POST" and filled(body) or nil)
end

function done(summary, latency, requests)
  local errors = summary.errors
  print(string.format(
    '{"requests": %d, "seconds": %.6f, "median_ms": %.3f, "p99_ms": %.3f, "failed": %d}',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.connect + errors.read + errors.write + errors.timeout + errors.status
  ))
end

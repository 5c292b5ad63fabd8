-- Posts mutations: wrk -s perf/writes/ask.lua URL -- BODIES MARK SEED
-- BODIES is a file of JSON, one body a line; where MARK stands in one, comes what no other request has.
local bodies, mark, seed = {}, nil, nil
local drawn = 0
failed = 0 -- global: the end asks the thread for it
local headers = { ["Content-Type"] = "application/json", ["Accept"] = "application/json" }

function init(args)
  for line in io.lines(args[1]) do
    local first, last = line:find(args[2], 1, true)
    bodies[#bodies + 1] = { line:sub(1, first - 1), line:sub(last + 1) }
  end
  seed = tonumber(args[3])
  math.randomseed(seed)
end

function request()
  drawn = drawn + 1
  local body = bodies[math.random(#bodies)]
  return wrk.format("POST", "/graphql", headers, body[1] .. seed .. "-" .. drawn .. body[2])
end

-- A mutation that changed nothing is told in a 200, too.
function response(status, _, body)
  if status ~= 200 or body:find('"errors"', 1, true) or not body:find('"userErrors":[]', 1, true) then
    failed = failed + 1
    if failed == 1 then io.stderr:write(status, " ", body, "\n") end
  end
end

local threads = {}
function setup(thread) threads[#threads + 1] = thread end

function done(summary, latency)
  local errors = summary.errors
  local refused = 0
  for _, thread in ipairs(threads) do refused = refused + thread:get("failed") end
  print(string.format(
    '{"requests": %d, "seconds": %.6f, "median_ms": %.3f, "p99_ms": %.3f, "failed": %d}',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.connect + errors.read + errors.write + errors.timeout + refused
  ))
end

-- Asks for product pages as raw requests: wrk -s perf/ladder/ask.lua URL -- BEFORE AFTER LAW HIGHEST FROM MARK
-- LAW "even": each product as likely as the others, drawn with the seed FROM, and under a variable with MARK in it that
-- no other request has; "zipf": by Zipf's law with exponent 1; "each": one after the other, beginning with number FROM.
local before, after, law, highest, place, mark, logarithm
local asked = 0
local random, floor, exp = math.random, math.floor, math.exp

function init(args)
  before, after, law = args[1], args[2], args[3]
  highest, place, mark = tonumber(args[4]), tonumber(args[5]), args[6]
  logarithm = math.log(highest + 1)
  math.randomseed(place)
end

local numbers = {
  even = function()
    asked = asked + 1
    return random(highest) .. mark .. asked .. "%22"
  end,
  -- Of a density of 1/x the logarithm is even. The rank is spread over the catalogue.
  zipf = function() return (floor(exp(random() * logarithm)) * 7919) % highest + 1 end,
  each = function()
    place = place % highest + 1
    return place
  end,
}

function request()
  return before .. numbers[law]() .. after
end

function done(summary, latency)
  local errors = summary.errors
  print(string.format(
    '{"requests": %d, "seconds": %.6f, "p50_ms": %.3f, "p95_ms": %.3f, "p99_ms": %.3f, "errors": %d}',
    summary.requests, summary.duration / 1e6,
    latency:percentile(50) / 1e3, latency:percentile(95) / 1e3, latency:percentile(99) / 1e3,
    errors.connect + errors.read + errors.write + errors.timeout + errors.status
  ))
end

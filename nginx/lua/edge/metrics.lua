-- What the edge knows of itself, in Prometheus' text format. Source of the form: Prometheus, "Exposition formats", 0.0.4.
local durations = require("edge.durations")
local status = require("edge.status")

local _M = {}

local ESCAPED = { ["\\"] = "\\\\", ['"'] = '\\"', ["\n"] = "\\n" }

local function label(name, value)
  return name .. '="' .. value:gsub('[\\"\n]', ESCAPED) .. '"'
end

local function requests(counts)
  local samples = {}
  for _, state in ipairs({ "hit", "same", "miss", "waited", "pass", "stale", "failed", "raced", "shed" }) do
    samples[#samples + 1] = { "{" .. label("state", state) .. "}", counts[state] }
  end
  return samples
end

local function replicas(known)
  local samples = {}
  for i, replica in ipairs(known) do
    samples[i] = { "{" .. label("address", replica.address) .. "}", replica.ready and 1 or 0 }
  end
  return samples
end

local function under_way(known)
  local samples = {}
  for i, replica in ipairs(known) do
    samples[i] = { "{" .. label("address", replica.address) .. "}", replica.requests }
  end
  return samples
end

local function bytes(dictionaries)
  local samples = {}
  for _, name in ipairs({ "pages", "tags" }) do
    for _, kind in ipairs({ "capacity", "free" }) do
      local labels = "{" .. label("dictionary", name) .. "," .. label("kind", kind) .. "}"
      samples[#samples + 1] = { labels, dictionaries[name][kind .. "_bytes"] }
    end
  end
  return samples
end

local function seconds(fills)
  local samples = {}
  for i, bound in ipairs(durations.BOUNDS_MS) do
    samples[i] = { "_bucket{" .. label("le", tostring(bound / 1000)) .. "}", fills.within[i] }
  end
  samples[#samples + 1] = { '_bucket{le="+Inf"}', fills.count }
  samples[#samples + 1] = { "_sum", fills.seconds }
  samples[#samples + 1] = { "_count", fills.count }
  return samples
end

function _M.text()
  local state = status.state()
  local counts, lines = state.counts, {}
  -- `samples`: an array of {what follows the name, value}.
  local function say(name, kind, help, samples)
    lines[#lines + 1] = "# HELP " .. name .. " " .. help
    lines[#lines + 1] = "# TYPE " .. name .. " " .. kind
    for _, sample in ipairs(samples) do lines[#lines + 1] = name .. sample[1] .. " " .. sample[2] end
  end
  local function only(value)
    return { { "", value } }
  end
  local known = "Requests by what became of them. stale, failed and raced say more of some that are counted as miss."
  say("edge_requests_total", "counter", known, requests(counts))
  say("edge_writes_total", "counter", "Mutations whose tags were forgotten.", only(counts.writes))
  say("edge_changes_total", "counter", "Writes that came over the channel of changes.", only(counts.changes))
  local live = "Whether the channel of changes is whole. 0: nothing is served from the cache."
  say("edge_live", "gauge", live, only(state.live and 1 or 0))
  say("edge_replica_ready", "gauge", "Whether a replica is ready.", replicas(state.replicas))
  say("edge_replica_requests", "gauge", "Requests of this edge under way at a replica.", under_way(state.replicas))
  local memory = "Memory for pages and for the numbers of tags, and what of it is free in whole blocks."
  say("edge_cache_bytes", "gauge", memory, bytes({ pages = state.cache, tags = state.tags }))
  say("edge_upstream_seconds", "histogram", "How long a miss waited for a replica.", seconds(state.fills))
  return table.concat(lines, "\n") .. "\n"
end

function _M.serve()
  ngx.header["Content-Type"] = "text/plain; version=0.0.4; charset=utf-8"
  ngx.print(_M.text())
end

return _M

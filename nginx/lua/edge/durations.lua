-- How long this worker's fills have waited for a replica since it started. Told to the others once a second: see
-- edge/status.lua. In whole milliseconds.
local concat, floor = table.concat, math.floor

local _M = { BOUNDS_MS = { 1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000 } }

local BEYOND = #_M.BOUNDS_MS + 1
local SUM = BEYOND + 1

-- Of each bound how many took at most that long and longer than the one before; how many took longer; all together.
local own = {}
for i = 1, SUM do own[i] = 0 end

-- One more that took `seconds`.
function _M.add(seconds)
  local took = floor(seconds * 1000 + 0.5)
  local place = 1
  while place < BEYOND and took > _M.BOUNDS_MS[place] do place = place + 1 end
  own[place] = own[place] + 1
  own[SUM] = own[SUM] + took
end

-- This worker's, as a text for the others.
function _M.packed()
  return concat(own, " ")
end

-- Of the texts of all workers: for each bound how many took at most that long, how many there are, and their seconds.
function _M.summed(texts)
  local total, within, all = {}, {}, 0
  for i = 1, SUM do total[i] = 0 end
  for _, text in ipairs(texts) do
    local i = 0
    for count in text:gmatch("%S+") do
      i = i + 1
      total[i] = total[i] + tonumber(count)
    end
  end
  for i = 1, BEYOND do
    all = all + total[i]
    within[i] = all
  end
  within[BEYOND] = nil
  return { within = within, count = all, seconds = total[SUM] / 1000 }
end

return _M

-- Every way in which a writer, a fill and two readers can take turns at the shared dictionaries, up to a number of
-- changes of turn that nobody forced. Few changes find nearly every such fault. Source: Musuvathi and Qadeer, "Iterative
-- context bounding for systematic testing of multithreaded programs", 2007.
--
-- Called with the source text of edge/numbers.lua and the bound; returns how many ways there were, and how many of them
-- showed a reader something older than what had been acknowledged when it asked.
local source, bound = ...

local dictionaries = ngx.shared
local real = { control = dictionaries.control, ring = dictionaries.ring, tags = dictionaries.tags }
local yield = coroutine.yield
local clock = require("edge.clock")
local moment = clock.now()

-- A dictionary whose every use is a turn of its own.
local function taking_turns(dictionary)
  return setmetatable({}, {
    __index = function(_, name)
      -- Not a method: what stands for the dictionary in C.
      if name == 1 then return dictionary[1] end
      return function(_, ...)
        yield()
        return dictionary[name](dictionary, ...)
      end
    end,
  })
end

local function loaded()
  -- Time stands still: the same turns must be taken again.
  package.loaded["edge.clock"] = { now = function() return moment end }
  for name, dictionary in pairs(real) do dictionaries[name] = taking_turns(dictionary) end
  local numbers = assert(loadstring(source, "numbers"))()
  package.loaded["edge.clock"] = clock
  for name, dictionary in pairs(real) do dictionaries[name] = dictionary end
  return numbers
end

local numbers = loaded()
local TAGS = { "product:1", "all" }

local function fresh_world()
  for _, dictionary in pairs(real) do
    dictionary:flush_all()
    dictionary:flush_expired()
  end
  real.control:set("begun", 0)
  real.control:set("all", 0)
  real.control:set("base", 1)
  real.control:set("live", 2 ^ 20)
  real.control:set("heard", moment)
  real.control:set("ahead", ngx.time() - moment)
  return { stored = 0, acknowledged = 0, page = nil, stale = false }
end

-- The database has version `stored`, a writer knows of `acknowledged`, and `page` is what the edge keeps.
local function writer(world)
  yield()
  world.stored = world.stored + 1
  local written = world.stored
  numbers.write({ "product:1" }, nil)
  yield()
  world.acknowledged = written
end

local function fill(world)
  local begun = numbers.begun()
  yield()
  local shown = world.stored
  local noted = numbers.numbers_of(TAGS)
  local touched = numbers.touched_since(begun, TAGS)
  yield()
  if not touched then world.page = { shown = shown, noted = noted } end
end

local function reader(world)
  yield()
  local asked = world.acknowledged
  local live = numbers.live()
  local page = world.page
  if not live or not page then return end
  if page.live ~= live then
    if not numbers.unchanged(TAGS, page.noted) then return end
    page.live = live
  end
  if page.shown < asked then world.stale = true end
end

local function readers(world)
  reader(world)
  reader(world)
end

-- Run the actors, taking the turns that `schedule` says where there was a choice; returns the choices there were.
local function run(schedule)
  local world, choices, changes, current = fresh_world(), {}, 0, 1
  local actors = {}
  for i, body in ipairs({ writer, fill, readers, fill }) do
    actors[i] = coroutine.create(body)
  end
  while true do
    local able = {}
    for i, actor in ipairs(actors) do
      if coroutine.status(actor) ~= "dead" then able[#able + 1] = i end
    end
    if #able == 0 then break end
    local goes_on = coroutine.status(actors[current]) ~= "dead"
    local options = able
    if goes_on and changes >= bound then options = { current } end
    local place = #choices + 1
    local taken = schedule[place] or 1
    -- The one whose turn it is comes first, so that the first choice is never a change.
    if goes_on then table.sort(options, function(a, b) return a == current and b ~= current or (a ~= current and b ~= current and a < b) end) end
    choices[place] = { count = #options, taken = taken }
    local chosen = options[taken]
    if goes_on and chosen ~= current then changes = changes + 1 end
    current = chosen
    local done, problem = coroutine.resume(actors[current], world)
    if not done then error(problem) end
  end
  return world.stale, choices
end

-- What a worker finds out once is no turn of each way.
fresh_world()
local first = coroutine.wrap(function()
  numbers.live()
  return true
end)
while not first() do end

local ways, stale, schedule = 0, 0, {}
while true do
  local was_stale, choices = run(schedule)
  ways = ways + 1
  if was_stale then stale = stale + 1 end
  local last = #choices
  while last > 0 and choices[last].taken == choices[last].count do last = last - 1 end
  if last == 0 then break end
  schedule = {}
  for i = 1, last - 1 do schedule[i] = choices[i].taken end
  schedule[last] = choices[last].taken + 1
end
return ways, stale

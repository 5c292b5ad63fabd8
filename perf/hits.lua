-- Asks for product pages that a cache holds: PAGES of them, all alike (SHARES=even) or by Zipf's law with exponent 1.
-- With WARM=yes each is asked for once, in order, and then the first ones again.
local pages = tonumber(os.getenv("PAGES"))
local before, after = os.getenv("BEFORE"), os.getenv("AFTER")
local drawn, place = {}, 0

function init()
  math.randomseed(tonumber(os.getenv("SEED")))
  local logarithm = math.log(pages + 1)
  for i = 1, 200000 do
    local number
    if os.getenv("SHARES") == "even" then
      number = math.random(pages)
    else
      -- Of a density of 1/x the logarithm is even. The rank is spread over the catalogue.
      number = (math.floor(math.exp(math.random() * logarithm)) * 7919) % pages + 1
    end
    drawn[i] = before .. number .. after
  end
end

if os.getenv("WARM") then
  function request()
    place = place % pages + 1
    return before .. place .. after
  end
else
  function request()
    place = place % 200000 + 1
    return drawn[place]
  end
end

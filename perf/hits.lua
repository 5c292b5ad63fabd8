-- Asks for product pages that a cache holds: PAGES of them, all alike (SHARES=even) or by Zipf's law with exponent 1.
-- With a number in FIRST each is asked for in turn, from the one after it on.
local pages = tonumber(os.getenv("PAGES"))
local before, after = os.getenv("BEFORE"), os.getenv("AFTER")
local drawn, place = {}, 0
local first = tonumber(os.getenv("FIRST"))

-- A browser's headers are this long too. LuaJIT's hash of a string sees its middle and little else: with the number of the
-- product elsewhere all requests look alike to it, and wrk spends its time comparing them.
local padded = after:gsub("\r\n\r\n$", "\r\nUser-Agent: Mozilla/5.0 " .. ("-"):rep(#before - #after) .. "\r\n\r\n")

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
    drawn[i] = before .. number .. padded
  end
end

if first then
  place = first
  function request()
    place = place % pages + 1
    return before .. place .. padded
  end
else
  function request()
    place = place % 200000 + 1
    return drawn[place]
  end
end

-- JSON in one form: the tokens as they were written, the names of an object in order, no blanks.
--
-- Not cjson: it makes {} of [] and rounds large numbers, so different requests would have one key.
local byte, sub, find, concat, sort = string.byte, string.sub, string.find, table.concat, table.sort

local _M = { MAX_BYTES = 4096, MAX_DEPTH = 8 }

local value

local function blank(text, at)
  return find(text, "[^ \t\r\n]", at) or #text + 1
end

-- A string token from its opening quote; nil unless it ends.
local function string_token(text, at)
  local from = at + 1
  while true do
    local stop = find(text, '["\\%c]', from)
    if not stop then return nil end
    local sign = byte(text, stop)
    if sign == 34 then return sub(text, at, stop), stop + 1 end
    if sign ~= 92 then return nil end
    from = stop + 2
  end
end

local function object(text, at, depth)
  local names, members = {}, {}
  at = blank(text, at + 1)
  if byte(text, at) == 125 then return "{}", at + 1 end
  while true do
    if byte(text, at) ~= 34 then return nil end
    local name, after = string_token(text, at)
    -- Written with an escape, one name has several forms, and twice the same would not be seen.
    if not name or members[name] or find(name, "\\", 1, true) then return nil end
    at = blank(text, after)
    if byte(text, at) ~= 58 then return nil end
    local held
    held, at = value(text, blank(text, at + 1), depth)
    if not held then return nil end
    names[#names + 1], members[name] = name, held
    at = blank(text, at)
    local sign = byte(text, at)
    if sign == 125 then break end
    if sign ~= 44 then return nil end
    at = blank(text, at + 1)
  end
  sort(names)
  for i, name in ipairs(names) do names[i] = name .. ":" .. members[name] end
  return "{" .. concat(names, ",") .. "}", at + 1, members
end

local function array(text, at, depth)
  local items = {}
  at = blank(text, at + 1)
  if byte(text, at) == 93 then return "[]", at + 1 end
  while true do
    local held
    held, at = value(text, at, depth)
    if not held then return nil end
    items[#items + 1] = held
    at = blank(text, at)
    local sign = byte(text, at)
    if sign == 93 then break end
    if sign ~= 44 then return nil end
    at = blank(text, at + 1)
  end
  return "[" .. concat(items, ",") .. "]", at + 1
end

function value(text, at, depth)
  local sign = byte(text, at)
  if not sign then return nil end
  if sign == 34 then return string_token(text, at) end
  if sign == 123 or sign == 91 then
    if depth >= _M.MAX_DEPTH then return nil end
    return (sign == 123 and object or array)(text, at, depth + 1)
  end
  -- A number or a word: what it means is the gateway's business, what it is not is ours.
  local _, stop = find(text, "^[-+.%w]+", at)
  if not stop then return nil end
  return sub(text, at, stop), stop + 1
end

-- The one form of the object that `text` is, and its members (name with quotes → value in that form). nil: not an
-- object, malformed, a name twice, longer than MAX_BYTES or deeper than MAX_DEPTH.
function _M.canonical(text)
  if #text > _M.MAX_BYTES then return nil end
  local at = blank(text, 1)
  if byte(text, at) ~= 123 then return nil end
  local form, after, members = object(text, at, 1)
  if not form or blank(text, after) <= #text then return nil end
  return form, members or {}
end

return _M

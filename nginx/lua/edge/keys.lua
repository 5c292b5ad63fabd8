-- From a request to the key that all requests for the same answer share; or nil: such a request is not cached.
local json = require("edge.json")
local find, sub, match, gmatch = string.find, string.sub, string.match, string.gmatch
local unescape = ngx.unescape_uri

local _M = {}

local PATH, OWN = "/graphql", "/graphql/p/"
-- Everything that the gateway reads from a query string. What it does not read makes no difference to the answer.
local READ = { documentId = true, id = true, doc_id = true, operationName = true, variables = true, extensions = true }

-- How a client names itself, in the canonical form and in signs that no gateway refuses.
local NAMED, NAMED_AND_NUMBERED = '^{"name":"[%w@/._ -]*"}$', '^{"name":"[%w@/._ -]*","version":"[%w._+-]*"}$'

local function decoded(raw)
  -- Broken escapes are left as they are by some and refused by others.
  if find(raw, "%%$") or find(raw, "%%.$") or find(raw, "%%[^%x]") or find(raw, "%%%x[^%x]") then return nil end
  return unescape(raw)
end

local function parameters_of(query)
  local given, count = {}, 0
  for pair in gmatch(query, "[^&]+") do
    local name, raw = match(pair, "^([^=]*)=?(.*)$")
    name, count = decoded(name), count + 1
    -- A name that is not UTF-8 is refused by the gateway, whatever else was asked; ours are ASCII.
    if not name or count > 50 or find(name, "[\128-\255]") then return nil end
    if raw ~= "" then
      if name == "query" or given[name] then return nil end
      if READ[name] then
        given[name] = decoded(raw)
        if not given[name] then return nil end
        -- A line break would be the end of a part of the key. In JSON it is a blank, of which the key has none.
        if name ~= "variables" and name ~= "extensions" and find(given[name], "[\n%z]") then return nil end
      end
    end
  end
  return given
end

-- What names the document, in one form for all ways to say it; and whatever else the extensions ask for.
local function document_of(given)
  local id, extensions = nil, ""
  if given.extensions then
    local form, members = json.canonical(given.extensions)
    if not form then return nil end
    local persisted = members['"persistedQuery"']
    if persisted then
      id = match(persisted, '^{"sha256Hash":"(%x+)","version":1}$')
      if not id then return nil end
    end
    -- Apollo names itself here; the rest may change an answer, and a number or word may be none.
    for name, held in pairs(members) do
      local named = name == '"clientLibrary"' and (find(held, NAMED) or find(held, NAMED_AND_NUMBERED))
      if name ~= '"persistedQuery"' and not named then
        if extensions ~= "" then return nil end
        extensions = name .. ":" .. held
      end
    end
  end
  for _, name in ipairs({ "documentId", "id", "doc_id" }) do
    if given[name] then
      if id then return nil end
      id = name == "documentId" and match(given[name], "^sha256:(%x+)$") or given[name]
    end
  end
  return id, extensions
end

-- `uri`: the path and query string as they came. Returns the key and the operation's name ("-" if it was not given).
function _M.canonical(uri)
  local path, query = uri, ""
  local mark = find(uri, "?", 1, true)
  if mark then
    path, query = sub(uri, 1, mark - 1), sub(uri, mark + 1)
  end
  local given = parameters_of(query)
  if not given then return nil end
  if path ~= PATH then
    if sub(path, 1, #OWN) ~= OWN then return nil end
    local id, operation = match(path, "^/graphql/p/([%w:_-]+)/?([%w_]*)$")
    if not id or given.documentId then return nil end
    given.documentId = id
    if operation ~= "" then
      if given.operationName then return nil end
      given.operationName = operation
    end
  end
  local id, extensions = document_of(given)
  if not id then return nil end
  local variables = ""
  if given.variables then
    variables = json.canonical(given.variables)
    if not variables then return nil end
  end
  local operation = given.operationName or "-"
  if given.operationName and not find(operation, "^[%a_][%w_]*$") then return nil end
  return id .. "\n" .. operation .. "\n" .. variables .. "\n" .. extensions, operation
end

return _M

-- The addresses of a name. nginx's own resolver gives Lua one of them, and the edge needs all.
-- Source of the format: RFC 1035, 4.1; of the larger answer: RFC 6891.
local char, byte = string.char, string.byte

local _M = {}

local TIMEOUT_MS, A, IN, OPT = 1000, 1, 1, 41

local function short(number) return char(math.floor(number / 256) % 256, number % 256) end

local function question(id, name)
  local labels = {}
  for label in name:gmatch("[^.]+") do labels[#labels + 1] = char(#label) .. label end
  local head = short(id) .. short(0x0100) .. short(1) .. short(0) .. short(0) .. short(1)
  -- The last part admits answers of 4,096 bytes: some 250 replicas.
  return head .. table.concat(labels) .. "\0" .. short(A) .. short(IN) .. "\0" .. short(OPT) .. short(4096) .. "\0\0\0\0\0\0"
end

local function after_name(answer, at)
  while true do
    local length = byte(answer, at)
    if not length then return nil end
    if length == 0 then return at + 1 end
    if length >= 192 then return at + 2 end
    at = at + 1 + length
  end
end

local function number(answer, at)
  local high, low = byte(answer, at, at + 1)
  return high and low and high * 256 + low
end

-- The addresses in a server's answer; nil and why there are none.
local function read(answer, id)
  if number(answer, 1) ~= id then return nil, "an answer to another question" end
  local code = number(answer, 3) % 16
  if code ~= 0 then return nil, "the name server says " .. code end
  local at = 13
  for _ = 1, number(answer, 5) do at = after_name(answer, at) + 4 end
  local found = {}
  for _ = 1, number(answer, 7) do
    at = after_name(answer, at)
    local length = at and number(answer, at + 8)
    if not length then return nil, "an answer that was cut off" end
    if number(answer, at) == A and length == 4 then
      found[#found + 1] = table.concat({ byte(answer, at + 10, at + 13) }, ".")
    end
    at = at + 10 + length
  end
  if #found == 0 then return nil, "it has no address" end
  return found
end

-- The IPv4 addresses of `name`, asked of each of `servers` in turn; nil and why.
function _M.addresses(name, servers)
  local problem = "no name server is known: set EDGE_RESOLVER"
  for _, server in ipairs(servers) do
    local socket = ngx.socket.udp()
    socket:settimeout(TIMEOUT_MS)
    local id = math.random(0, 65535)
    local found, answer
    local set, why = socket:setpeername(server, 53)
    if set then set, why = socket:send(question(id, name)) end
    if set then answer, why = socket:receive(4096) end
    if answer then
      local done
      done, found, why = pcall(read, answer, id)
      if not done then found, why = nil, "an answer that cannot be read" end
    end
    socket:close()
    if found then return found end
    problem = why
  end
  return nil, problem
end

return _M

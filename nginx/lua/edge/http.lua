-- A GET to a replica on a socket of our own, for what is no client's request.
local _M = {}

-- Ask `peer` ({host, port}) for `path`. Returns the open socket after the answer's head, the status and whether the body
-- comes in chunks; nil and why.
function _M.open(peer, path, connect_ms, read_ms)
  local socket = ngx.socket.tcp()
  socket:settimeouts(connect_ms, connect_ms, read_ms)
  local connected, problem = socket:connect(peer.host, peer.port)
  if not connected then return nil, problem end
  local sent
  sent, problem = socket:send("GET " .. path .. " HTTP/1.1\r\nHost: replica\r\nConnection: close\r\n\r\n")
  local line = sent and socket:receive("*l")
  local status, chunked = line and tonumber(line:match("^HTTP/1%.%d (%d%d%d)")), false
  while line and line ~= "" do
    line, problem = socket:receive("*l")
    if line and line:lower():find("^transfer%-encoding:%s*chunked") then chunked = true end
  end
  if not status or line ~= "" then
    socket:close()
    return nil, problem or "no HTTP"
  end
  return socket, status, chunked
end

-- A function that gives the next line of the body each time; nil and why there is none. Source of the chunks' form:
-- RFC 9112, 7.1.
function _M.lines(socket, chunked)
  if not chunked then
    return function() return socket:receive("*l") end
  end
  local held, from = "", 1
  return function()
    while true do
      local at = held:find("\n", from, true)
      if at then
        local line = held:sub(from, at - 1)
        from = at + 1
        return line
      end
      local head, problem = socket:receive("*l")
      local size = head and tonumber(head:match("^%x+"), 16)
      if not size then return nil, problem or "no chunk" end
      if size == 0 then return nil, "the end" end
      local chunk, ending
      chunk, problem = socket:receive(size)
      if not chunk then return nil, problem end
      ending, problem = socket:receive(2)
      if not ending then return nil, problem end
      held, from = held:sub(from) .. chunk, 1
    end
  end
end

return _M

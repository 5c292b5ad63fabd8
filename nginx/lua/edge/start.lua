-- What happens before the first request: once in the master, then in each worker.
local options = require("edge.options")

local _M = {}

function _M.master(given)
  -- A hit out of the dictionary calls nginx a dozen times in one trace, and LuaJIT gives one up that has 500 constants.
  require("jit.opt").start("maxirconst=4000")
  for name, value in pairs(given) do options[name] = value end
  for i, upstream in ipairs(options.upstream) do
    local name, port = upstream:match("^(.-):(%d+)$")
    options.upstream[i] = { name = name, port = port, is_address = name:find("^[%d.]+$") ~= nil }
  end
  require("edge.numbers").start()
  require("edge.peers").start()
  -- Read here, by the user who may: workers are another one's, and no first request should wait for it.
  for _, name in ipairs({ "hit", "fill", "room", "writes", "refusal", "status", "metrics", "health", "changes" }) do
    require("edge." .. name)
  end
  if options.also then dofile(options.also) end
end

function _M.worker()
  require("edge.status").start()
  require("edge.peers").worker()
  -- One worker speaks with the replicas for all; when it dies, its successor has the same number.
  if ngx.worker.id() ~= 0 then return end
  require("edge.health").start()
  require("edge.changes").start()
end

return _M

-- A mutation's answer on its way to the client: what it changed is forgotten before the client can know of it.
local counts = require("edge.counts")
local numbers = require("edge.numbers")
local seen = ngx.shared.seen

-- A mutation's own transactions need not be applied again when the channel tells of them.
local SEEN_SECONDS = 60

local _M = {}

-- Apply `Changed: <xid>[,<xid>…] <lsn> <tag> <tag> …`.
function _M.apply(changed)
  local xids, lsn, rest = changed:match("^(%S+) (%S+)(.*)$")
  local tags = {}
  for tag in (rest or ""):gmatch("%S+") do tags[#tags + 1] = tag end
  if not xids then
    -- We do not know what was written, so it may have been anything.
    ngx.log(ngx.ERR, "a mutation's answer says what it changed in a form that is not understood: ", changed)
    tags = { numbers.ALL }
  end
  counts.writes = counts.writes + 1
  numbers.write(tags, lsn)
  for xid in (xids or ""):gmatch("%d+") do
    -- Only now: told of it earlier, the channel would take as done what is not.
    if xid ~= "0" then seen:set(xid, true, SEEN_SECONDS) end
  end
end

-- The header filter of what is sent on to a replica. The client has nothing of the answer yet.
function _M.filter()
  local changed = ngx.var.upstream_http_changed
  if changed then _M.apply(changed) end
  if not ngx.header["X-Cache"] then ngx.header["X-Cache"] = "BYPASS" end
end

return _M

-- What the edge answers itself, in the form of a GraphQL error.
local _M = {}

local BODY = '{"errors":[{"message":"%s","extensions":{"code":"%s"}}]}'

local function refuse(status, code, message)
  ngx.status = status
  ngx.header["Content-Type"] = "application/json; charset=utf-8"
  ngx.header["Cache-Control"] = "no-store"
  ngx.header["X-Cache"] = "BYPASS"
  if status == 429 or status == 503 then ngx.header["Retry-After"] = "1" end
  local body = BODY:format(message, code)
  ngx.header["Content-Length"] = #body
  if ngx.req.get_method() ~= "HEAD" then ngx.print(body) end
end

function _M.unavailable()
  local message = "No replica answers: ask again later."
  if ngx.req.get_method() == "POST" then
    message = "No replica has answered. A mutation may have been carried out: look before you send it again,"
      .. " or send it with an idempotency key."
  end
  refuse(503, "SERVICE_UNAVAILABLE", message)
end

function _M.overloaded()
  refuse(503, "OVERLOADED", "Too much is asked of this server at the moment: ask again later.")
end

function _M.too_many()
  refuse(429, "THROTTLED", "Too many requests from one address: wait a second.")
end

function _M.too_large()
  refuse(413, "BAD_REQUEST", "The body is too large.")
end

return _M

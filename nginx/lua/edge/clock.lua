-- A clock that nobody sets: seconds since the machine booted, those it slept among them. What must not last longer than
-- it may is judged by this one. nginx's own time, by which its dictionaries let entries go, jumps when the system's clock
-- is set: an entry's lifetime is for its room alone, and its value says until when it counts.
local ffi = require("ffi")

ffi.cdef([[
typedef struct { long seconds, nanoseconds; } edge_moment;
int clock_gettime(int clock, edge_moment *found);
]])
local C, found = ffi.C, ffi.new("edge_moment")
local BOOTTIME = 7 -- clock_gettime(2); CLOCK_MONOTONIC stands still while the machine sleeps

local _M = {}

function _M.now()
  C.clock_gettime(BOOTTIME, found)
  return tonumber(found.seconds) + tonumber(found.nanoseconds) / 1e9
end

return _M

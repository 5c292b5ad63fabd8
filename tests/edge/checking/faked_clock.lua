-- nginx empties the environment of its workers, and libfaketime looks there each time: it is given back.
local ffi = require("ffi")
ffi.cdef("int setenv(const char *name, const char *value, int overwrite);")

local given = {}
for _, name in ipairs({ "FAKETIME_TIMESTAMP_FILE", "FAKETIME_NO_CACHE", "FAKETIME_DONT_FAKE_MONOTONIC" }) do
  given[name] = os.getenv(name)
end

local start = require("edge.start")
local worker = start.worker
start.worker = function()
  for name, value in pairs(given) do ffi.C.setenv(name, value, 1) end
  worker()
end

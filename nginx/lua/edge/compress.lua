-- A page's body in the coding that a client takes, made once for all of them.
local ffi = require("ffi")

ffi.cdef([[
typedef struct {
  const char *next_in; unsigned avail_in; unsigned long total_in;
  char *next_out; unsigned avail_out; unsigned long total_out;
  const char *msg; void *state; void *zalloc; void *zfree; void *opaque;
  int data_type; unsigned long adler; unsigned long reserved;
} edge_z_stream;
int deflateInit2_(edge_z_stream *stream, int level, int method, int window, int memory, int strategy,
                  const char *version, int size);
unsigned long deflateBound(edge_z_stream *stream, unsigned long length);
int deflate(edge_z_stream *stream, int flush);
int deflateEnd(edge_z_stream *stream);
const char *zlibVersion(void);
size_t BrotliEncoderMaxCompressedSize(size_t length);
int BrotliEncoderCompress(int quality, int window, int mode, size_t length, const char *input,
                          size_t *encoded_length, char *encoded);
]])

local function library(name)
  local found, loaded = pcall(ffi.load, name)
  return found and loaded or nil
end

local zlib, brotli = library("libz.so.1"), library("libbrotlienc.so.1")
local LEVEL, QUALITY = 5, 4 -- of a page of 5 KB: a tenth of a millisecond
local GZIP, DEFLATED, MEMORY, FINISH, STREAM_END = 15 + 16, 8, 8, 4, 1
local WINDOW, TEXT = 18, 1

local _M = {}

local function gzip(body)
  local stream = ffi.new("edge_z_stream")
  local version = zlib.zlibVersion()
  if zlib.deflateInit2_(stream, LEVEL, DEFLATED, GZIP, MEMORY, 0, version, ffi.sizeof(stream)) ~= 0 then return nil end
  local bound = tonumber(zlib.deflateBound(stream, #body))
  local encoded = ffi.new("char[?]", bound)
  stream.next_in, stream.avail_in, stream.next_out, stream.avail_out = body, #body, encoded, bound
  local ended = zlib.deflate(stream, FINISH)
  local length = tonumber(stream.total_out)
  zlib.deflateEnd(stream)
  return ended == STREAM_END and ffi.string(encoded, length) or nil
end

local function br(body)
  local length = ffi.new("size_t[1]", brotli.BrotliEncoderMaxCompressedSize(#body))
  local encoded = ffi.new("char[?]", length[0])
  if brotli.BrotliEncoderCompress(QUALITY, WINDOW, TEXT, #body, body, length, encoded) ~= 1 then return nil end
  return ffi.string(encoded, length[0])
end

-- `body` in `coding`, "gzip" or "br"; nil where the library for it is missing.
function _M.encoded(body, coding)
  if coding == "gzip" then return zlib and gzip(body) end
  if coding == "br" then return brotli and br(body) end
end

return _M

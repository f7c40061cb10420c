-- What the tests of fluent-bit's Lua share: TAP, and files below the directory of its state.
local Tap = {}
local n = 0

function Tap.ok(good, name, more)
  n = n + 1
  print((good and 'ok ' or 'not ok ') .. n .. ' - ' .. name)
  if not good and more then print('# ' .. more) end
end

function Tap.done() print('1..' .. n) end

-- Reads and writes files there; what is absent is nil.
function Tap.files(dir)
  local function read(name)
    local f = io.open(dir .. name, 'rb')
    if not f then return nil end
    local text = f:read('*a')
    f:close()
    return text
  end
  local function write(name, text)
    local f = assert(io.open(dir .. name, 'wb'))
    f:write(text)
    f:close()
  end
  return read, write
end

return Tap

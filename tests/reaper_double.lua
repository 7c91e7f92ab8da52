-- Stands for REAPER around its companion script: the functions of ReaScript that the script calls, over a project in memory.
--
-- Usage: lua reaper_double.lua SCRIPT. Every line on standard input is one turn of REAPER's timer, or a wish of the test:
-- "tick", "tempo SECONDS BPM" (in rising order), "marker START NAME", "region START END NAME", "drop" (the next note is not taken),
-- "dump" (prints tracks and items, then "."), "run" (runs the script again, as a second call of the action).

local script = arg[1]
local PPQ = 960
local tempi = { { at = 0, bpm = 96 } }
local tracks, marks, states, deferred, leaving = {}, {}, {}, {}, {}
local playing, cursor, drop, undo, shielded = 0, 0, false, {}, 0

-- seconds to quarter notes and back, by the project's tempo map
local function quarters (at)
  local total = 0
  for index, tempo in ipairs (tempi) do
    local last = tempi[index + 1] and tempi[index + 1].at or math.huge
    if at <= last then return total + (at - tempo.at) * tempo.bpm / 60 end
    total = total + (last - tempo.at) * tempo.bpm / 60
  end
end
local function seconds (quarter)
  local total = 0
  for index, tempo in ipairs (tempi) do
    local last = tempi[index + 1] and tempi[index + 1].at or math.huge
    local span = (last - tempo.at) * tempo.bpm / 60
    if quarter <= total + span then return tempo.at + (quarter - total) * 60 / tempo.bpm end
    total = total + span
  end
end

reaper = {}
function reaper.GetOS () return "Other" end
function reaper.RecursiveCreateDirectory (path) os.execute ("mkdir -p '" .. path .. "'") return 1 end
function reaper.CountTracks () return #tracks end
function reaper.GetTrack (_, index) return tracks[index + 1] end
function reaper.InsertTrackAtIndex (index) table.insert (tracks, index + 1, { name = "", items = {} }) end
function reaper.GetSetMediaTrackInfo_String (track, what, value, set)
  assert (what == "P_NAME")
  if set then track.name = value end
  return true, track.name
end
function reaper.CountTrackMediaItems (track) return #track.items end
function reaper.GetTrackMediaItem (track, index) return track.items[index + 1] end
function reaper.GetMediaItem_Track (item) return item.track end
function reaper.DeleteTrackMediaItem (track, item)
  for index, there in ipairs (track.items) do
    if there == item then table.remove (track.items, index) return true end
  end
  error ("no such item")
end
function reaper.CreateNewMIDIItemInProj (track, start, stop, as_quarters)
  assert (track and track.items and as_quarters == false and stop > start and start >= 0)
  local item = { track = track, start = start, length = stop - start, extra = {}, values = { B_LOOPSRC = 1 } }
  item.take = { item = item, notes = {}, name = "", sorted = true }
  table.insert (track.items, item)
  table.sort (track.items, function (a, b) return a.start < b.start end)
  return item
end
function reaper.GetActiveTake (item) return item.take end
function reaper.SetMediaItemInfo_Value (item, what, value) item.values[what] = value return true end
function reaper.GetMediaItemInfo_Value (item, what) return ({ D_POSITION = item.start, D_LENGTH = item.length })[what] end
function reaper.GetSetMediaItemInfo_String (item, what, value, set)
  assert (what:sub (1, 6) == "P_EXT:")
  if set then item.extra[what] = value end
  return item.extra[what] ~= nil, item.extra[what] or ""
end
function reaper.GetSetMediaItemTakeInfo_String (take, what, value, set)
  assert (what == "P_NAME")
  if set then take.name = value end
  return true, take.name
end
function reaper.MIDI_GetPPQPosFromProjTime (take, at) return (quarters (at) - quarters (take.item.start)) * PPQ end
function reaper.MIDI_GetProjTimeFromPPQPos (take, ppq) return seconds (quarters (take.item.start) + ppq / PPQ) end
function reaper.MIDI_InsertNote (take, selected, muted, first, last, channel, pitch, velocity, no_sort)
  assert (selected == false and muted == false and math.type (first) == "integer" and math.type (last) == "integer")
  assert (last > first and pitch >= 0 and pitch < 128 and velocity > 0 and velocity < 128 and channel == 0)
  if drop then drop = false return false end
  table.insert (take.notes, { first, last, pitch, velocity })
  take.sorted = not no_sort
  return true
end
function reaper.MIDI_Sort (take)
  table.sort (take.notes, function (a, b) return a[1] < b[1] end)
  take.sorted = true
end
function reaper.MIDI_CountEvts (take) assert (take.sorted) return #take.notes, #take.notes, 0, 0 end
function reaper.MIDI_GetNote (take, index)
  local note = take.notes[index + 1]
  return true, false, false, note[1] * 1.0, note[2] * 1.0, 0, note[3], note[4]
end
function reaper.GetPlayState () return playing end
function reaper.GetPlayPosition () return cursor end
function reaper.GetCursorPosition () return cursor end
function reaper.SetEditCurPos (at) cursor = at end
function reaper.OnPlayButton () playing = 1 end
function reaper.OnStopButton () playing = 0 end
function reaper.TimeMap_GetTimeSigAtTime () return 4, 4, tempi[1].bpm end
function reaper.TimeMap_curFrameRate () return 24.0, false end
function reaper.GetProjectName () return "double.RPP" end
function reaper.EnumProjectMarkers3 (_, index)
  local mark = marks[index + 1]
  if not mark then return 0, false, 0, 0, "", 0, 0 end
  return index + 1, mark.stop ~= nil, mark.start, mark.stop or 0, mark.name, index + 1, 0
end
function reaper.PreventUIRefresh (count) shielded = shielded + count end
function reaper.Undo_BeginBlock2 () table.insert (undo, false) end
function reaper.Undo_EndBlock2 (_, name) undo[#undo] = name end
function reaper.UpdateArrange () end
function reaper.time_precise () return os.clock () end
function reaper.GetExtState (section, key) return states[section .. "/" .. key] or "" end
function reaper.SetExtState (section, key, value) states[section .. "/" .. key] = value end
function reaper.defer (call) deferred[#deferred + 1] = call end
function reaper.atexit (call) leaving[#leaving + 1] = call end

local function dump ()
  for _, track in ipairs (tracks) do
    print ("track", track.name)
    for _, item in ipairs (track.items) do
      print ("item", item.take.name, string.format ("%.6f", item.start), item.values.B_LOOPSRC, #item.take.notes)
    end
  end
  print ("undo", #undo, undo[#undo] or "", shielded, #deferred)
  print (".")
  io.stdout:flush ()
end

dofile (script)
for line in io.lines () do
  local word, rest = line:match ("^(%S+)%s?(.*)$")
  if word == "tick" then
    local now = deferred
    deferred = {}
    for _, call in ipairs (now) do call () end
  elseif word == "tempo" then
    local at, bpm = rest:match ("(%S+) (%S+)")
    at, bpm = tonumber (at), tonumber (bpm)
    if at == 0 then tempi = { { at = 0, bpm = bpm } } else tempi[#tempi + 1] = { at = at, bpm = bpm } end
  elseif word == "marker" then
    local start, name = rest:match ("(%S+) (.*)")
    marks[#marks + 1] = { start = tonumber (start), name = name }
  elseif word == "region" then
    local start, stop, name = rest:match ("(%S+) (%S+) (.*)")
    marks[#marks + 1] = { start = tonumber (start), stop = tonumber (stop), name = name }
  elseif word == "drop" then
    drop = true
  elseif word == "run" then
    dofile (script)
  elseif word == "dump" then
    dump ()
  end
end

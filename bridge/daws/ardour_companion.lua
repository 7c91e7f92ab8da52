-- Hitpoint beside Ardour 7: makes missing MIDI tracks in a snapshot of a session, and lists the notes that Ardour finds in it.
--
-- Nothing to copy: Hitpoint runs it by itself with Ardour's program "luasession" while the session is closed. What it is to do comes
-- in the environment: HITPOINT_FOLDER and HITPOINT_SNAPSHOT name the session, HITPOINT_TRACKS the tracks, one a line.

local session = load_session (os.getenv ("HITPOINT_FOLDER"), os.getenv ("HITPOINT_SNAPSHOT"))
assert (session, "the session cannot be opened")

local there = {}
for route in session:get_tracks ():iter () do there[route:name ()] = true end

local made = 0
for name in (os.getenv ("HITPOINT_TRACKS") or ""):gmatch ("[^\n]+") do
  if not there[name] then
    local one = ARDOUR.ChanCount (ARDOUR.DataType ("midi"), 1)
    session:new_midi_track (one, one, true, ARDOUR.PluginInfo (), nil, nil, 1, name, ARDOUR.PresentationInfo.max_order,
      ARDOUR.TrackMode.Normal, true)
    made = made + 1
  end
end
if made > 0 then
  session:save_state ("", false, false, false, false, false)
end

-- Lua sees musical time as text alone: "beats:ticks", 1920 ticks a beat
local function ticks (beats)
  local whole, rest = tostring (beats):match ("^(-?%d+):(%d+)$")
  return tonumber (whole) * 1920 + tonumber (rest)
end

local function samples (at) return Temporal.timepos_t.from_ticks (at):samples () end

for route in session:get_tracks ():iter () do
  local track = route:to_track ()
  if not track:to_midi_track ():isnil () then
    for region in track:playlist ():region_list ():iter () do
      print (string.format ("REGION\t%s\t%s", region:name (), route:name ()))
      local first = ticks (region:position ():beats ()) - ticks (region:start ():beats ())
      for note in ARDOUR.LuaAPI.note_list (region:to_midiregion ():model ()):iter () do
        local start = first + ticks (note:time ())
        local stop = start + ticks (note:length ())
        print (string.format ("NOTE\t%s\t%d\t%d\t%d\t%d", region:name (), samples (start), samples (stop), note:note (),
          note:velocity ()))
      end
    end
  end
end
print ("DONE")
close_session ()
quit ()

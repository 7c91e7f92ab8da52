/* A libjack for Ardour 7 in tests: one caller at a time asks the server.
 *
 * libjack2 sends requests through one socket without a lock, and Ardour 7 asks from several threads: now and then two requests
 * mix, the server closes the connection and Ardour's ports are gone. This library takes libjack's name, holds one lock around the
 * calls that ask the server, and passes them on to a copy of the real library under another name (REAL), of which everything else
 * comes unchanged. Calls that only read shared memory are not locked: Ardour makes them inside JACK's own callbacks.
 *
 * Built by peers.py: gcc -shared -fPIC -Wl,-soname,libjack.so.0 ... -l:libjakk.so.0
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>

#define REAL "libjakk.so.0"

typedef struct client client;
typedef struct port port;
typedef uint32_t frames;
typedef int (*timebase)(int, frames, void *, int, void *);

static pthread_mutex_t turn = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

static void *real(const char *name)
{
    void *library = dlopen(REAL, RTLD_NOW | RTLD_GLOBAL);
    return library ? dlsym(library, name) : 0;
}

/* one function of the library: result, name, parameters, and their names as passed on */
#define IN_TURN(result, name, parameters, passed)                  \
    result name parameters                                         \
    {                                                              \
        result(*call) parameters = (result(*) parameters)real(#name); \
        pthread_mutex_lock(&turn);                                 \
        result answer = call passed;                               \
        pthread_mutex_unlock(&turn);                               \
        return answer;                                             \
    }

IN_TURN(port *, jack_port_register, (client *c, const char *n, const char *t, unsigned long f, unsigned long s), (c, n, t, f, s))
IN_TURN(int, jack_port_unregister, (client *c, port *p), (c, p))
IN_TURN(int, jack_port_set_name, (port *p, const char *n), (p, n))
IN_TURN(int, jack_port_rename, (client *c, port *p, const char *n), (c, p, n))
IN_TURN(int, jack_port_disconnect, (client *c, port *p), (c, p))
IN_TURN(int, jack_connect, (client *c, const char *from, const char *to), (c, from, to))
IN_TURN(int, jack_disconnect, (client *c, const char *from, const char *to), (c, from, to))
IN_TURN(int, jack_activate, (client *c), (c))
IN_TURN(int, jack_deactivate, (client *c), (c))
IN_TURN(int, jack_recompute_total_latencies, (client *c), (c))
IN_TURN(int, jack_set_buffer_size, (client *c, frames n), (c, n))
IN_TURN(int, jack_set_freewheel, (client *c, int on), (c, on))
IN_TURN(int, jack_set_timebase_callback, (client *c, int conditional, timebase b, void *arg), (c, conditional, b, arg))
IN_TURN(int, jack_release_timebase, (client *c), (c))
IN_TURN(char *, jack_get_uuid_for_client_name, (client *c, const char *n), (c, n))
IN_TURN(char *, jack_get_client_name_by_uuid, (client *c, const char *u), (c, u))
IN_TURN(int, jack_set_property, (client *c, uint64_t s, const char *k, const char *v, const char *t), (c, s, k, v, t))
IN_TURN(int, jack_remove_property, (client *c, uint64_t s, const char *k), (c, s, k))
IN_TURN(int, jack_remove_properties, (client *c, uint64_t s), (c, s))

/* endpoints_names.h - what the configuration calls carriers and speeches. */
#ifndef MOIM_SHELL_ENDPOINTS_NAMES_H
#define MOIM_SHELL_ENDPOINTS_NAMES_H

#include "front/endpoint.h"

extern const char *const endpoint_carrier_names[CARRIER_COUNT]; /* "websocket", ... */
extern const char *const endpoint_speech_names[SPEECH_COUNT];   /* "relay", ... */

#endif

/* relay_plain.h - the speech of bare messages: what the rules say is done with them. */
#ifndef MOIM_FRONT_RELAY_RELAY_PLAIN_H
#define MOIM_FRONT_RELAY_RELAY_PLAIN_H

#include "front/session.h"

extern const struct speech relay_speech;

#endif

/* checks: what the doctor looks at; each adds its findings to the report. */
#pragma once
#include "doctor/doctor.h"
#include "doctor/fetch.h"
#include "doctor/report.h"

#define CHECK_TIMEOUT 5000 /* ms, for each hop */
#define MESSAGE_TRIES 5    /* of a message by UDP: datagrams may be lost */

struct patient {
	const struct doctor_options *options;
	struct target target;
	struct report report;
	bool udp_works; /* a relay was reached by it */
};

/* One URL of the list that clients are given, with its credentials. */
struct ice_server {
	struct slice url, username, credential;
	struct ice_target target;
};

/* --- check_web.c --- */
/* False when nothing more can be asked. */
bool check_reach(struct patient *p);
void check_health(struct patient *p);
void check_websocket(struct patient *p);
void check_polling(struct patient *p);
/* Who is not let in: without a token that is no failure. */
void check_refused(struct patient *p, const char *name);

/* --- check_ice.c --- */
/* Asks for the ICE servers, and tries each. */
void check_ice(struct patient *p);

/* --- check_nat.c --- */
/* With a relay by UDP that works. */
void check_nat(struct patient *p, const struct ice_server *s);

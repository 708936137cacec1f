/* checks: what the doctor looks at; each adds its findings to the report. */
#pragma once
#include "doctor/doctor.h"
#include "doctor/fetch.h"
#include "doctor/report.h"

#define CHECK_TIMEOUT 5000 /* ms, for each hop */

struct patient {
	const struct doctor_options *options;
	struct target target;
	struct report report;
};

/* --- check_web.c --- */
/* False when nothing more can be asked. */
bool check_reach(struct patient *p);
void check_health(struct patient *p);
void check_websocket(struct patient *p);
void check_polling(struct patient *p);

/* --- check_ice.c --- */
/* Asks for the ICE servers, and tries each. */
void check_ice(struct patient *p);

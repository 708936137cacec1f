#include "doctor/doctor.h"

#include <signal.h>
#include <stdio.h>

#include "doctor/checks.h"

int doctor_run(const struct doctor_options *o)
{
	struct patient p = { .options = o };

	if (target_parse(&p.target, slice_str(o->url)) < 0) {
		fprintf(stderr,
			"parley: %s is no URL such as https://call.example.org:8443\n",
			o->url);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	report_begin(&p.report, o->json);
	if (!o->json)
		printf("\n  %s\n\n", o->url);
	if (check_reach(&p)) {
		check_health(&p);
		check_websocket(&p);
		check_polling(&p);
		check_ice(&p);
	}
	return report_end(&p.report);
}

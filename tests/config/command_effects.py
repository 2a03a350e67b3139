"""For every key that only a command has: the test that shows its effect."""

from tests.config.effects import Effects, ShownBy

_EVALUATE, _PREPARE, _PREDICT = "evaluate/test_assess_model.py::", "prepare/", "end_to_end/test_predict.py::"
_PROMOTE, _GATE, _REPORT = "promote/test_command.py::", "promote/test_gate.py::", "report/test_command.py::"
_CHOICE, _HOLDER = "promote/test_challenger.py::", "serve/server/test_model_holder.py::"
_REFIT = f"{_PROMOTE}test_a_refit_trains_each_seed_once_and_takes_the_first_where_nothing_may_choose"
_CONNECTIONS, _HOSTS = "serve/server/test_connections.py::", "serve/server/test_host_and_origin.py::"
_LIMITS, _SERVE = "serve/server/test_request_limits.py::", "end_to_end/test_serve.py::"
_REMOVE, _EXPORT = "remove/test_remove.py::", "export/test_export.py::"
_TESTS = {
    "evaluate: model": f"{_EVALUATE}test_a_model_on_disk_is_judged_on_other_data_in_a_run_of_its_own",
    "evaluate: split": f"{_EVALUATE}test_only_the_test_split_gives_test_metrics",
    "evaluate: robustness": f"{_EVALUATE}test_a_model_on_disk_is_judged_on_other_data_in_a_run_of_its_own",
    "evaluate: robustness_images": "config/test_command_keys.py::test_how_thoroughly_a_model_is_judged",
    "evaluate: resamples": "config/test_command_keys.py::test_how_thoroughly_a_model_is_judged",
    "evaluate: seed": "config/test_command_keys.py::test_how_thoroughly_a_model_is_judged",
    "prepare: audit": f"{_PREPARE}test_command.py::test_the_audit_can_be_left_out",
    "prepare: model": f"{_PREPARE}test_contradictions.py::test_planted_wrong_labels_are_on_top",
    "label: table": "label/test_whole_session.py::test_a_table_of_ones_own_choice_and_a_port_are_taken",
    "label: port": "label/test_whole_session.py::test_a_table_of_ones_own_choice_and_a_port_are_taken",
    "label: test_every": "label/test_labelling_session.py::test_without_a_test_all_are_for_training",
    "label: retrain_every": "label/test_retraining.py::"
    "test_a_training_begins_after_so_many_labels_and_labelling_goes_on_beside_it",
    "predict: model": f"{_PREDICT}test_a_trained_model_reads_files_as_it_read_them_in_training",
    **{
        f"predict: {key}": "config/test_command_keys.py::test_what_predict_prints"
        for key in ("format", "alternatives", "pattern", "alphabet", "min_length", "max_length", "lexicon")
    },
    "predict: threads": "config/test_command_keys.py::test_threads_of_a_served_model",
    "promote: model_name": f"{_PROMOTE}test_the_better_model_becomes_champion_and_the_worse_does_not",
    "promote: dry_run": f"{_PROMOTE}test_a_dry_run_changes_nothing",
    "promote: rollback": "promote/test_registry_steps.py::test_a_rollback_goes_back_one_champion_at_a_time",
    "promote: force": f"{_PROMOTE}test_a_model_that_reads_nothing_is_champion_by_force_alone",
    "promote: servable": f"{_PROMOTE}test_a_champion_is_served_as_it_was_judged",
    "promote: challenger.sweep": f"{_CHOICE}test_the_best_trial_by_validation_is_chosen_whatever_the_test_says",
    "promote: challenger.run": f"{_CHOICE}test_a_run_of_its_own_can_be_chosen",
    **{f"promote: refit.{key}": _REFIT for key in ("seeds", "on", "epochs")},
    "promote: rule.alpha": f"{_GATE}test_what_may_be_chance_does_not_win",
    "promote: rule.min_difference": f"{_GATE}test_a_difference_that_is_too_small_does_not_win",
    "promote: rule.ignore_case": f"{_PROMOTE}test_the_rule_can_ignore_case_and_limits_can_stop_the_first",
    "promote: rule.resamples": "config/test_command_keys.py::test_how_a_challenger_is_compared",
    "promote: rule.seed": "config/test_command_keys.py::test_how_a_challenger_is_compared",
    **{
        f"promote: limits.{key}": f"{_GATE}test_no_limit_may_be_exceeded"
        for key in ("min_accuracy", "latency_ms", "parameters", "robustness_drop")
    },
    "promote: limits.robustness_images": "config/test_command_keys.py::test_how_a_challenger_is_compared",
    **{
        f"promote: dataset.{key}": f"{_PROMOTE}test_changed_data_is_no_test_and_moved_data_is"
        for key in ("path", "image_root")
    },
    "export: model": f"{_EXPORT}test_a_model_on_disk_becomes_a_file_that_computes_the_same",
    "export: format": f"{_EXPORT}test_a_model_on_disk_becomes_a_file_that_computes_the_same",
    "export: output": f"{_EXPORT}test_a_model_on_disk_becomes_a_file_that_computes_the_same",
    "relocate: dry_run": "relocate/test_relocate.py::test_a_dry_run_changes_nothing",
    "remove: remove.sweep": f"{_REMOVE}test_a_sweep_goes_with_all_that_it_left_and_others_stay",
    "remove: remove.storage": f"{_REMOVE}test_a_study_in_a_database_of_its_own_goes_too",
    "remove: dry_run": f"{_REMOVE}test_a_dry_run_removes_nothing",
    "remove: yes": f"{_REMOVE}test_nothing_goes_without_an_answer",
    "report: report.sweep": f"{_REPORT}test_several_sweeps_stand_side_by_side",
    "report: report.storage": f"{_REPORT}test_an_unknown_sweep_is_refused_with_those_that_exist",
    "report: report.output": f"{_REPORT}test_the_page_is_kept_on_the_run_of_the_sweep",
    "report: report.curves": f"{_REPORT}test_as_many_curves_are_shown_as_are_asked_for",
    "report: report.images": f"{_REPORT}test_wrong_reads_are_shown_as_pictures",
    "serve: model": f"{_SERVE}test_a_model_that_is_not_there_is_one_line",
    "serve: host": f"{_SERVE}test_a_public_host_must_be_typed_and_is_warned_of",
    "serve: port": f"{_SERVE}test_a_port_in_use_is_one_line",
    "serve: reload_s": f"{_HOLDER}test_a_new_champion_is_picked_up_under_load_and_no_request_is_lost",
    "ui: port": "ui/test_mlflow_pages.py::test_the_address_is_printed_once_it_answers",
    "serve: threads": "config/test_command_keys.py::test_threads_of_a_served_model",
    "serve: examples": "config/test_command_keys.py::test_what_the_page_offers_to_try",
    "serve: limits.upload_mib": f"{_LIMITS}test_an_upload_above_the_limit_is_refused_and_the_next_request_answered",
    "serve: limits.upload_s": f"{_LIMITS}test_a_slow_upload_is_ended",
    "serve: limits.images_per_request": f"{_LIMITS}test_more_images_than_a_request_may_have_are_refused",
    "serve: limits.pixels": f"{_LIMITS}test_an_image_of_too_many_pixels_is_refused_by_its_header",
    "serve: limits.requests_per_second": f"{_LIMITS}test_a_client_has_its_rate_and_another_its_own",
    "serve: limits.uploads_mib": f"{_CONNECTIONS}test_uploads_in_progress_have_a_limit_together",
    "serve: limits.connections": f"{_CONNECTIONS}test_a_flood_is_refused_and_other_addresses_are_served",
    "serve: limits.stalled_s": f"{_CONNECTIONS}test_headers_that_come_a_byte_at_a_time_are_not_waited_for",
    "serve: allowed_hosts": f"{_HOSTS}test_further_names_and_origins_can_be_allowed",
    "serve: allowed_origins": f"{_HOSTS}test_further_names_and_origins_can_be_allowed",
    "serve: limits.concurrent": f"{_LIMITS}test_more_requests_at_once_are_refused_and_told_when_to_come_again",
}
COMMAND_EFFECTS: Effects = {key: [ShownBy(test)] for key, test in _TESTS.items()}

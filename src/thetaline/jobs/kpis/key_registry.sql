-- name: declare_writer
select set_config('thetaline.kpi_writer', cast(%(writer)s as text), true)

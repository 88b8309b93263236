@echo off
rem Finds a Python and starts start_optimized.py, which does the rest. Works from any folder.
setlocal
set "here=%~dp0.."
for %%p in ("py -3.11" "py -3.12" "python") do (
  %%~p -c "" >nul 2>nul && (
    %%~p "%here%\start_optimized.py" demo %*
    goto :end
  )
)
echo missing: Python 3.11 or 3.12 1>&2
echo why:     PATH has no Python at all 1>&2
echo type:    winget install Python.Python.3.12 1>&2
exit /b 1
:end
if errorlevel 1 pause
